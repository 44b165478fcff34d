/**
 * Clients that add elements to a set, as the set checker wants it: each element is a key of its
 * own, and what was acknowledged must be there in the end.
 */
import type { CheckResult } from '../../../checkers/checker.ts';
import { setChecker } from '../../../checkers/set.ts';
import { prefixEnd } from '../../../src/client/requests.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';
import type { ClusterNode } from '../../cluster/cluster.ts';
import { type Ended, recorded } from './recording.ts';
import type { LabCluster } from './scenario-lab.ts';

/** Of every element's key. */
export const PREFIX = 'set/';
const ADD_MS = 1_000;
const READ_MS = 5_000;
const READ_LIMIT_MS = 30_000;
/** A dead member refuses at once: without this the loop would not let timers run. */
const PAUSE_MS = 10;
/** Keeps the final read within one message. */
const ELEMENTS_MAX = 20_000;

export class SetLoad {
  acknowledged = 0;
  refused = 0;
  /** Nobody knows whether these were done. */
  unsure = 0;
  readonly #cluster: LabCluster;
  readonly #writers: Promise<void>[] = [];
  readonly #ackedAtMs: number[] = [];
  #element = 0;
  #process = 0;
  #isOver = false;

  constructor(cluster: LabCluster) {
    this.#cluster = cluster;
  }

  /** `each` writers through every one of `nodes`, until {@link stop}. */
  start(nodes: readonly ClusterNode[], each: number, timeoutMs: number = ADD_MS): void {
    this.#isOver = false;
    for (const node of nodes) {
      for (let at = 0; at < each; at++) this.#writers.push(this.#write(node, timeoutMs));
    }
  }

  /** Resolves when every add has ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#writers.splice(0));
  }

  /** One after the other, each acknowledged; gives up with the try. */
  async addAll(node: ClusterNode, count: number): Promise<void> {
    const { lab } = this.#cluster;
    for (const wanted = this.acknowledged + count; this.acknowledged < wanted; ) {
      const process = this.#process++;
      if ((await this.#add(node, process, READ_MS)).type !== 'ok') await lab.sleep(PAUSE_MS);
    }
  }

  /** One add; whether it was acknowledged. */
  async addOne(node: ClusterNode, timeoutMs: number): Promise<Ended> {
    return this.#add(node, this.#process++, timeoutMs);
  }

  /** Reads the whole set, as soon as the member can, and judges. */
  async judge(node: ClusterNode): Promise<CheckResult> {
    const { lab } = this.#cluster;
    const client = this.#cluster.client(node);
    await lab.need('a read of the set', READ_LIMIT_MS, async () => {
      const asked = { process: this.#process++, f: 'set-read', value: {}, node: node.name };
      const ended = await recorded<Ended>(lab.recorder, asked, async () => {
        const request = { key: PREFIX, rangeEnd: prefixEnd(PREFIX), keysOnly: true };
        const answer = await client.range(request, { timeoutMs: READ_MS });
        if (!answer.ok) return { type: 'fail', error: answer.error.message };
        const { kvs, header } = answer.value;
        const elements = kvs.map(({ key }) => Number(utf8Decode(key).slice(PREFIX.length)));
        return { type: 'ok', value: { elements }, revision: header.revision };
      });
      return ended.type === 'ok' ? true : undefined;
    });
    return setChecker().check(lab.recorder.history);
  }

  /** The longest time without an acknowledgement since `fromMs`, up to `toMs`. */
  longestGapMs(fromMs: number, toMs: number): number {
    const times = this.#ackedAtMs.filter((at) => at >= fromMs && at <= toMs);
    const marks = [fromMs, ...times, toMs];
    return Math.max(...marks.slice(1).map((at, before) => at - marks[before]!));
  }

  ackedBetween(fromMs: number, toMs: number): number {
    return this.#ackedAtMs.filter((at) => at >= fromMs && at <= toMs).length;
  }

  async #write(node: ClusterNode, timeoutMs: number): Promise<void> {
    const { lab } = this.#cluster;
    let process = this.#process++;
    while (!this.#isOver && !lab.signal.aborted && this.#element < ELEMENTS_MAX) {
      const { type } = await this.#add(node, process, timeoutMs);
      // A process that does not know what it did retires.
      if (type === 'info') process = this.#process++;
      if (type !== 'ok') await lab.pause(PAUSE_MS);
    }
  }

  async #add(node: ClusterNode, process: number, timeoutMs: number): Promise<Ended> {
    const { lab } = this.#cluster;
    const element = this.#element++;
    const asked = { process, f: 'add', value: { element }, node: node.name };
    const ended = await recorded<Ended>(lab.recorder, asked, async () => {
      const put = { key: `${PREFIX}${element}`, value: `${element}` };
      const answer = await this.#cluster.client(node).put(put, { timeoutMs });
      if (answer.ok) {
        const { revision } = answer.value.header;
        return { type: 'ok', value: { element }, revision };
      }
      const { definite, message } = answer.error;
      return { type: definite ? 'fail' : 'info', error: message };
    });
    if (ended.type === 'ok') {
      this.acknowledged += 1;
      this.#ackedAtMs.push(lab.nowMs());
    } else if (ended.type === 'info') this.unsure += 1;
    else this.refused += 1;
    return ended;
  }
}

/**
 * Members that die at a named point while they are written to, start again, and are asked for
 * everything they had acknowledged.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { callMethod } from '../../harness/scenarios/lab/call.ts';
import { COMPACT, DEFRAGMENT, HASH_KV } from '../../harness/scenarios/lab/methods.ts';
import type { FailpointName } from '../../src/ports/failpoints.ts';
import { eventually, Lab, type Launched, type LaunchOptions } from '../e2e/lab.ts';
import { findLeader, type RealMember, realMembers } from '../e2e/real-members.ts';

/** When a point is reached, and by whom. */
export type Occasion =
  /** By itself, under writes. */
  | 'any member'
  | 'leader'
  | 'follower'
  /** When a member starts on an empty directory. */
  | 'first start'
  /** When a follower that was away is sent the state. */
  | 'snapshot'
  | 'compaction'
  | 'defragmentation';

export const OCCASIONS: Readonly<Record<FailpointName, Occasion>> = {
  afterCommit: 'any member',
  applyAfterOpenSnapshot: 'snapshot',
  applyBeforeOpenSnapshot: 'snapshot',
  beforeApplyOneConfChange: 'first start',
  beforeApplyOneEntryNormal: 'any member',
  beforeCommit: 'any member',
  beforePublishing: 'first start',
  beforeSyncWatchers: 'any member',
  commitAfterPreCommitHook: 'any member',
  commitBeforePreCommitHook: 'any member',
  compactAfterCommitBatch: 'compaction',
  compactAfterCommitScheduledCompact: 'compaction',
  compactAfterSetFinishedCompact: 'compaction',
  compactBeforeCommitBatch: 'compaction',
  compactBeforeCommitScheduledCompact: 'compaction',
  compactBeforeSetFinishedCompact: 'compaction',
  defragBeforeCopy: 'defragmentation',
  defragBeforeRename: 'defragmentation',
  raftAfterApplySnap: 'snapshot',
  raftAfterSave: 'any member',
  raftAfterSaveSnap: 'snapshot',
  raftAfterWALRelease: 'any member',
  raftBeforeAdvance: 'any member',
  raftBeforeApplySnap: 'snapshot',
  raftBeforeFollowerSend: 'follower',
  raftBeforeLeaderSend: 'leader',
  raftBeforeSave: 'any member',
  raftBeforeSaveSnap: 'snapshot',
  raftBeforeWALSaveSnaphot: 'snapshot',
  raftDropHeartbeat: 'follower',
  walAfterSync: 'any member',
  walBeforeSync: 'any member',
};

/** A member alone is sent nothing, by nobody, and sends nothing. */
export function needsPeers(point: FailpointName): boolean {
  const occasion = OCCASIONS[point];
  const isSent = occasion === 'snapshot' && point !== 'raftBeforeWALSaveSnaphot';
  return isSent || occasion === 'follower' || occasion === 'leader';
}

export interface CrashReport {
  readonly point: FailpointName;
  readonly size: number;
  readonly died: string;
  /** From setting the point to the end of the process. */
  readonly diedAfterMs: number;
  readonly restartMs: number;
  readonly acknowledged: number;
  /** Acknowledged and not there any more; must be empty. */
  readonly lost: readonly string[];
  /** HashKV of the members at one revision; must be one value. */
  readonly hashes: readonly number[];
}

const WRITERS = 3;
const WRITE_PAUSE_MS = 5;
const SNAPSHOT_COUNT = 60;
/** Obsolete rows that take several steps to remove. */
const ROWS_TO_COMPACT = 6_000;
const OPERATIONS_PER_TXN = 120;
const CALL_MS = 20_000;
const COMPILE_CACHE = join(tmpdir(), `stormraft-compile-cache-${process.getuid?.() ?? 0}`);

/** Starts members with an endpoint for failpoints, and for one start with points that are set. */
class FailpointLab extends Lab {
  readonly httpPorts = new Map<string, number>();
  /** By name of the member, for its next start. */
  readonly fromStart = new Map<string, string>();

  override launchOwn(path: string, args: readonly string[], options: LaunchOptions = {}): Launched {
    const name = args[args.indexOf('--name') + 1]!;
    const terms = this.fromStart.get(name);
    this.fromStart.delete(name);
    return super.launchOwn(path, args, {
      ...options,
      environment: {
        ...options.environment,
        // A restart is most of what a crash takes here.
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        GOFAIL_HTTP: `127.0.0.1:${this.httpPorts.get(name)}`,
        ...(terms !== undefined && { GOFAIL_FAILPOINTS: terms }),
      },
    });
  }
}

export class CrashLab implements AsyncDisposable {
  readonly #lab: FailpointLab;
  readonly members: readonly RealMember[];
  readonly #acknowledged: string[] = [];
  #isWriting = false;
  #writers: Promise<unknown> = Promise.resolve();
  #written = 0;

  static async open(size: number): Promise<CrashLab> {
    const lab = new FailpointLab();
    const timing = ['--heartbeat-interval', '100', '--election-timeout', '1000'];
    const members = await realMembers(lab, size, [
      ...timing,
      '--snapshot-count',
      `${SNAPSHOT_COUNT}`,
      '--snapshot-catchup-entries',
      '5',
    ]);
    const ports = await choosePorts(4 * size, lab.directory);
    for (const [at, { name }] of members.entries()) lab.httpPorts.set(name, ports[3 * size + at]!);
    return new CrashLab(lab, members);
  }

  private constructor(lab: FailpointLab, members: readonly RealMember[]) {
    this.#lab = lab;
    this.members = members;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopWriting();
    await this.#lab[Symbol.asyncDispose]();
  }

  /** All of them, and writes. */
  async start(): Promise<void> {
    for (const member of this.members) if (!this.#runs(member)) member.start();
    await Promise.all(this.members.map((member) => member.serves()));
    this.#write();
  }

  /** Of the endpoint for failpoints. */
  url(member: RealMember, path: string): string {
    return `http://127.0.0.1:${this.#lab.httpPorts.get(member.name)}/${path}`;
  }

  async set(member: RealMember, point: FailpointName, terms: string): Promise<void> {
    const response = await fetch(this.url(member, point), { method: 'PUT', body: terms });
    if (response.status !== 204) throw new Error(`${point}: ${await response.text()}`);
  }

  /** One member dies at the point, comes back, and all that was acknowledged is looked for. */
  async crashAt(point: FailpointName): Promise<CrashReport> {
    const sinceMs = performance.now();
    const victim = await this.#dieAt(point);
    const { code, stderr } = await victim.running.ended;
    const diedAfterMs = Math.round(performance.now() - sinceMs);
    const line = stderr.split('\n').find((text) => text.startsWith('panic: '));
    await sleep(200);
    const startMs = performance.now();
    victim.start();
    await victim.serves();
    const restartMs = Math.round(performance.now() - startMs);
    if (!this.#isWriting) await this.start();
    await sleep(100);
    const [lost, hashes] = await this.#check();
    return {
      point,
      size: this.members.length,
      died: `${victim.name}, exit ${code}, ${line}`,
      diedAfterMs,
      restartMs,
      acknowledged: this.#acknowledged.length,
      lost,
      hashes,
    };
  }

  async #dieAt(point: FailpointName): Promise<RealMember> {
    const occasion = OCCASIONS[point];
    switch (occasion) {
      case 'first start':
        return this.#dieAtStart(point);
      case 'snapshot':
        return this.members.length === 1 ? this.#dieWritten(point, 0) : this.#dieOfSnapshot(point);
      case 'leader':
        return this.#dieWritten(point, await this.#leaderAt());
      case 'follower':
        return this.#dieWritten(point, (await this.#leaderAt()) + 1);
      case 'any member':
        return this.#dieWritten(point, point.length);
      default: {
        const victim = await this.#dieWritten(point, point.length);
        await (occasion === 'compaction' ? this.#compact(victim) : this.#defragment(victim));
        return victim;
      }
    }
  }

  async #dieWritten(point: FailpointName, at: number): Promise<RealMember> {
    const victim = this.members[at % this.members.length]!;
    if (OCCASIONS[point] === 'compaction') await this.#fill(victim);
    await this.set(victim, point, 'panic');
    return victim;
  }

  /** The others are started as well: none of a cluster can do anything alone. */
  async #dieAtStart(point: FailpointName): Promise<RealMember> {
    const victim = this.members[0]!;
    this.#lab.fromStart.set(victim.name, `${point}=panic`);
    for (const member of this.members) member.start();
    return victim;
  }

  async #dieOfSnapshot(point: FailpointName): Promise<RealMember> {
    const leader = await findLeader(this.members);
    const victim = this.members.find((member) => member !== leader)!;
    await victim.end('SIGKILL');
    const until = this.#acknowledged.length + 4 * SNAPSHOT_COUNT;
    await eventually('many writes', async () => this.#acknowledged.length > until);
    this.#lab.fromStart.set(victim.name, `${point}=panic`);
    victim.start();
    return victim;
  }

  async #leaderAt(): Promise<number> {
    return this.members.indexOf(await findLeader(this.members));
  }

  async #fill(member: RealMember): Promise<void> {
    for (let rows = 0; rows < ROWS_TO_COMPACT; rows += OPERATIONS_PER_TXN) {
      const success = Array.from({ length: OPERATIONS_PER_TXN }, (_, at) => {
        const bytes = new TextEncoder().encode(`fill/${at}`);
        const request = { key: bytes, value: bytes, lease: 0n };
        return {
          type: 'put' as const,
          request: { ...request, prevKv: false, ignoreValue: false, ignoreLease: false },
        };
      });
      await eventually('filled', async () => {
        return (await member.client.txn({ compare: [], success, failure: [] })).ok;
      });
    }
  }

  async #compact(victim: RealMember): Promise<void> {
    const put = await victim.client.put({ key: 'compact', value: '' });
    if (!put.ok) throw new Error('no revision to compact at');
    const revision = BigInt(put.value.header.revision);
    await callMethod(victim.client, COMPACT, { revision }, { timeoutMs: CALL_MS });
  }

  async #defragment(victim: RealMember): Promise<void> {
    await callMethod(victim.client, DEFRAGMENT, {}, { timeoutMs: CALL_MS });
  }

  #runs(member: RealMember): boolean {
    try {
      return member.running.isRunning;
    } catch {
      return false;
    }
  }

  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writers = Promise.all(Array.from({ length: WRITERS }, (_, at) => this.#writer(at)));
  }

  async stopWriting(): Promise<void> {
    this.#isWriting = false;
    await this.#writers;
  }

  /** Each key is written once; who is not answered tries another member. */
  async #writer(at: number): Promise<void> {
    for (let turn = at; this.#isWriting; ) {
      const key = `w/${this.#written++}`;
      const member = this.members[turn % this.members.length]!;
      if (await member.put(key, key)) this.#acknowledged.push(key);
      else turn++;
      await sleep(WRITE_PAUSE_MS);
    }
  }

  async #check(): Promise<readonly [lost: readonly string[], hashes: readonly number[]]> {
    const acknowledged = [...this.#acknowledged];
    const lost: string[] = [];
    for (const member of this.members) {
      const found = await eventually('a read', () => member.read('w/', 'linearizable'));
      for (const key of acknowledged) {
        if (found.get(key) !== key) lost.push(`${key} on ${member.name}`);
      }
    }
    return [lost, await this.#hashes()];
  }

  /** At one revision, which all members have: what they answer without it is nothing yet. */
  async #hashes(): Promise<readonly number[]> {
    const put = await eventually('a revision', async () => {
      const answer = await this.members[0]!.client.put({ key: 'hash', value: '' });
      return answer.ok && answer.value;
    });
    const revision = BigInt(put.header.revision);
    return Promise.all(
      this.members.map(({ client }) =>
        eventually('a hash', async () => {
          const answer = await callMethod(client, HASH_KV, { revision }, { timeoutMs: CALL_MS });
          return answer.ok && answer.value.hash;
        }),
      ),
    );
  }
}

/**
 * `node test/bench/million-keys.ts [--keys N] [--etcd PATH] …`: what a million keys cost our
 * members and those of a real etcd in memory, disk, time to restart, and in the latency of puts
 * while history is compacted, the store is defragmented, and everything is read at once. Each
 * cluster in its turn, alone; figures depend on the machine, so look at the ratios.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { processorUse, readProcessorTime } from '../../harness/bench/processor-time.ts';
import { medianOf } from '../../harness/median.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { WatchCall } from '../../src/client/watch-call.ts';
import { BenchCluster, type BenchMember } from './million-keys-cluster.ts';
import {
  addPuts,
  compactAll,
  defragment,
  loadKeys,
  type SentPuts,
  SteadyWriter,
} from './million-keys-load.ts';
import type { RangesJob, RangesResult } from './million-keys-ranges.ts';

const { values: given } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    members: { type: 'string', default: '3' },
    etcd: { type: 'string', default: 'etcd' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
    /** After each signal. */
    restarts: { type: 'string', default: '5' },
    'txn-ops': { type: 'string', default: '1' },
    'in-flight': { type: 'string', default: '256' },
    rate: { type: 'string', default: '500' },
    /** A pass with nothing else, with a compaction, with a defragmentation, with both; pooled. */
    'latency-passes': { type: 'string', default: '3' },
    'idle-seconds': { type: 'string', default: '10' },
    ranges: { type: 'string', default: '20' },
    /** An etcd puts whole answers together, several times over: of a million keys, 700 MB each. */
    'etcd-ranges': { type: 'string', default: '4' },
    skip: { type: 'string', default: '' },
    profile: { type: 'string' },
    /** Of the tree whose server is measured; another one for a comparison. */
    root: { type: 'string', default: join(import.meta.dirname, '../..') },
    directory: { type: 'string', default: tmpdir() },
  },
});

const KEYS = Number(given.keys);
/** Between two phases, as a part of all keys. */
const OVERWRITTEN_PART = 0.1;
const MEBIBYTE = 2 ** 20;

/** All turns of a phase. */
interface Phase {
  readonly puts: SentPuts;
  tookMs: number;
  /** Of the leader's processor time. */
  usedMs: number;
  /** Of the machine, by other processes than the cluster's and this one, in the worst turn. */
  otherShareMax: number;
}

type Kind = 'stormraft' | 'etcd';
/** By name, in the order of measuring. */
type Figures = Map<string, { readonly value: number; readonly unit: string }>;

class Measuring {
  readonly figures: Figures = new Map();
  readonly #kind: Kind;
  readonly #cluster: BenchCluster;
  #written = 0;

  constructor(kind: Kind, cluster: BenchCluster) {
    this.#kind = kind;
    this.#cluster = cluster;
  }

  async all(): Promise<void> {
    const steps: readonly (readonly [string, () => Promise<void>])[] = [
      ['load', () => this.#load()],
      ['restart', () => this.#restart()],
      ['latency', () => this.#latencies()],
      ['ranges', () => this.#ranges()],
    ];
    for (const [name, run] of steps) {
      if (given.skip.split(',').includes(name)) continue;
      await run();
    }
  }

  #note(name: string, value: number, unit: string): void {
    this.figures.set(name, { value, unit });
    process.stdout.write(
      `${this.#kind.padEnd(10)} ${name.padEnd(46)} ${value.toFixed(1)} ${unit}\n`,
    );
  }

  async #load(): Promise<void> {
    await this.#write(KEYS, 'load');
    await this.#cluster.settled();
    await sleep(5_000);
    await this.#noteMemory('after the load');
    await this.#noteSizes('after the load');
  }

  async #write(count: number, name: string): Promise<void> {
    const leader = await this.#cluster.leader();
    const [from, to] = [this.#written, this.#written + count];
    const [txnOps, inFlight] = [Number(given['txn-ops']), Number(given['in-flight'])];
    const tookMs = await loadKeys(leader.client, { from, to, keys: KEYS, txnOps, inFlight });
    this.#written = to;
    this.#note(`${name}: puts per second`, count / (tookMs / 1_000), '/s');
  }

  async #noteMemory(when: string): Promise<void> {
    const leader = await this.#cluster.leader();
    for (const [name, members] of this.#roles(leader)) {
      const memory = members.map((member) => member.memory());
      const most = (sizes: readonly number[]): number => Math.max(...sizes) / MEBIBYTE;
      this.#note(`RSS of ${name} ${when}`, most(memory.map(({ rssBytes }) => rssBytes)), 'MiB');
      this.#note(`peak of ${name} ${when}`, most(memory.map(({ peakBytes }) => peakBytes)), 'MiB');
    }
  }

  #roles(leader: BenchMember): (readonly [string, readonly BenchMember[]])[] {
    const followers = this.#cluster.members.filter((member) => member !== leader);
    const roles = [['leader', [leader]] as const];
    return followers.length === 0 ? roles : [...roles, ['follower', followers] as const];
  }

  async #noteSizes(when: string): Promise<void> {
    const leader = await this.#cluster.leader();
    const status = await leader.client.status();
    if (status.ok) {
      this.#note(`dbSize ${when}`, status.value.dbSizeBytes / MEBIBYTE, 'MiB');
      this.#note(`dbSizeInUse ${when}`, status.value.dbSizeInUseBytes / MEBIBYTE, 'MiB');
    }
    const { snapBytes, walBytes } = leader.files();
    this.#note(`files: snap ${when}`, snapBytes / MEBIBYTE, 'MiB');
    this.#note(`files: wal ${when}`, walBytes / MEBIBYTE, 'MiB');
  }

  async #restart(): Promise<void> {
    const leader = await this.#cluster.leader();
    const follower = this.#cluster.members.find((member) => member !== leader) ?? leader;
    const restarts = new Map<string, { tookMs: number[]; usedMs: number[] }>();
    for (let nth = 0; nth < Number(given.restarts); nth++) {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const taken = restarts.get(signal) ?? { tookMs: [], usedMs: [] };
        restarts.set(signal, taken);
        await follower.end(signal);
        taken.tookMs.push(await follower.start());
        taken.usedMs.push(follower.processorMs());
      }
    }
    for (const [signal, { tookMs, usedMs }] of restarts) {
      this.#note(`restart after ${signal}, median`, medianOf(tookMs), 'ms');
      this.#note(`restart after ${signal}, fastest`, Math.min(...tookMs), 'ms');
      this.#note(`restart after ${signal}: processor time`, medianOf(usedMs), 'ms');
    }
    await sleep(3_000);
    const { rssBytes, peakBytes } = follower.memory();
    this.#note('RSS of the restarted member', rssBytes / MEBIBYTE, 'MiB');
    this.#note('peak of the restarted member', peakBytes / MEBIBYTE, 'MiB');
  }

  /**
   * Phases take turns, and the puts of all turns of a phase are one distribution: what a disk does
   * in one quarter of a minute it need not do in the next.
   */
  async #latencies(): Promise<void> {
    const leader = await this.#cluster.leader();
    const { client } = leader;
    const phases = new Map<string, Phase>();
    const during = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      await this.#cluster.settled();
      const writer = new SteadyWriter(leader.endpoint, {
        perSecond: Number(given.rate),
        keys: KEYS,
      });
      await sleep(1_000);
      await writer.take();
      const pids = [process.pid, ...this.#cluster.members.map(({ pid }) => pid)];
      const before = readProcessorTime(pids);
      const startMs = performance.now();
      await work();
      const tookMs = performance.now() - startMs;
      const after = readProcessorTime(pids);
      const puts = await writer.take();
      await writer.end();
      const phase = phases.get(name) ?? { tookMs: 0, usedMs: 0, otherShareMax: 0, puts };
      if (phase.puts !== puts) addPuts(phase.puts, puts);
      phases.set(name, phase);
      phase.tookMs += tookMs;
      if (before === undefined || after === undefined) return;
      const { usedUs, otherShare } = processorUse(before, after);
      phase.usedMs += usedUs.get(leader.pid)! / 1_000;
      phase.otherShareMax = Math.max(phase.otherShareMax, otherShare);
    };
    for (let pass = 0; pass < Number(given['latency-passes']); pass++) {
      await during('idle', () => sleep(Number(given['idle-seconds']) * 1_000));
      await this.#write(KEYS * OVERWRITTEN_PART, 'overwrite');
      await during('compaction', () => compactAll(client));
      await during('defragment', () => defragment(client));
      await this.#write(KEYS * OVERWRITTEN_PART, 'overwrite');
      await during('both', () => Promise.all([compactAll(client), defragment(client)]));
    }
    for (const [name, { puts, tookMs, usedMs, otherShareMax }] of phases) {
      this.#notePuts(name, puts, tookMs);
      this.#note(`${name}: processor time of the leader`, usedMs, 'ms');
      this.#note(`${name}: machine used by others, at most`, 100 * otherShareMax, '%');
    }
    await this.#noteMemory('after compaction');
    await this.#noteSizes('after compaction');
  }

  #notePuts(name: string, puts: SentPuts, tookMs: number): void {
    const { latency, failed } = puts;
    this.#note(`${name}: duration`, tookMs, 'ms');
    this.#note(`${name}: puts`, latency.totalCount, '');
    for (const [reason, count] of failed) this.#note(`${name}: ${reason}`, count, 'puts');
    for (const part of [50, 99]) {
      this.#note(`${name}: put p${part}`, latency.getValueAtPercentile(part) / 1_000, 'ms');
    }
    this.#note(`${name}: put max`, latency.maxValue / 1_000, 'ms');
  }

  async #ranges(): Promise<void> {
    const leader = await this.#cluster.leader();
    const watcher = new EtcdClient({ endpoint: leader.endpoint });
    let events = 0;
    const watch = new WatchCall(watcher, {
      onResponse: (_, result) => {
        events += result.events.length;
      },
      onEnd: () => undefined,
    });
    watch.create({ key: 'key-', rangeEnd: 'key.' });
    const writer = new SteadyWriter(leader.endpoint, { perSecond: Number(given.rate), keys: KEYS });
    await sleep(1_000);
    await writer.take();
    leader.forgetPeak();
    const count = Number(this.#kind === 'etcd' ? given['etcd-ranges'] : given.ranges);
    const { statuses, answeredBytes, tookMs } = await askRanges({
      endpoint: leader.endpoint,
      count,
    });
    this.#notePuts(`${count} full ranges`, await writer.take(), tookMs);
    await writer.end();
    for (const [status, times] of Object.entries(statuses)) {
      this.#note(`${count} full ranges: grpc-status ${status}`, times, 'times');
    }
    this.#note(`${count} full ranges: answered`, answeredBytes / MEBIBYTE, 'MiB');
    this.#note(`${count} full ranges: events watched`, events, '');
    this.#note(`${count} full ranges: peak`, leader.memory().peakBytes / MEBIBYTE, 'MiB');
    await sleep(5_000);
    this.#note('RSS after the ranges', leader.memory().rssBytes / MEBIBYTE, 'MiB');
    this.#note('members that run at the end', this.#running(), '');
    watch.close();
    watcher.close();
  }

  #running(): number {
    return this.#cluster.members.filter((member) => member.isRunning).length;
  }
}

function askRanges(job: RangesJob): Promise<RangesResult> {
  const child = fork(new URL('million-keys-ranges.ts', import.meta.url));
  const { promise, resolve, reject } = Promise.withResolvers<RangesResult>();
  child.once('message', (result: RangesResult) => resolve(result));
  child.once('exit', () => reject(new Error('the process that asks for ranges ended')));
  child.send(job);
  return promise.finally(() => child.kill('SIGKILL'));
}

async function measure(kind: Kind, directory: string): Promise<Figures> {
  process.stdout.write(
    `${kind}: load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}\n`,
  );
  const cluster = await BenchCluster.open({
    target: kind === 'etcd' ? { kind, path: given.etcd } : { kind, root: given.root },
    memberCount: Number(given.members),
    directory: join(directory, kind),
    serverFlags: ['--quota-backend-bytes=8000000000'],
    profileDirectory: given.profile,
  });
  const measuring = new Measuring(kind, cluster);
  try {
    await measuring.all();
  } finally {
    await cluster.close();
  }
  return measuring.figures;
}

function printRatios(ours: Figures, theirs: Figures): void {
  process.stdout.write(
    `\n${''.padEnd(48)}${'ours'.padStart(12)}${'etcd'.padStart(12)}   ours/etcd\n`,
  );
  for (const [name, { value, unit }] of ours) {
    const other = theirs.get(name)?.value;
    const ratio = other === undefined || other === 0 ? '' : (value / other).toFixed(2);
    const columns = [value.toFixed(1), other?.toFixed(1) ?? '', ratio];
    const [mine, etcds, quotient] = columns.map((column) => column.padStart(12));
    process.stdout.write(`${`${name} ${unit}`.trim().padEnd(48)}${mine}${etcds}${quotient}\n`);
  }
  for (const [kind, figures] of [['ours', ours] as const, ['etcd', theirs] as const]) {
    const idle = figures.get('idle: put p99')?.value;
    if (idle === undefined) continue;
    const parts = ['compaction', 'defragment', 'both'].map((phase) => {
      const p99 = figures.get(`${phase}: put p99`)?.value ?? Number.NaN;
      return `${phase} ${(p99 / idle).toFixed(2)}`;
    });
    process.stdout.write(`${kind}: put p99 as a multiple of idle: ${parts.join(', ')}\n`);
  }
}

const directory = mkdtempSync(join(given.directory, 'million-keys-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
for (let round = 0; round < Number(given.rounds); round++) {
  const both: readonly Kind[] = round % 2 === 0 ? ['stormraft', 'etcd'] : ['etcd', 'stormraft'];
  const kinds = both.filter((kind) => given.only === undefined || kind === given.only);
  const results = new Map<Kind, Figures>();
  for (const kind of kinds) results.set(kind, await measure(kind, directory));
  printRatios(results.get('stormraft') ?? new Map(), results.get('etcd') ?? new Map());
}

/** Members as plain processes on loopback, and what the kernel says of each. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessorTime } from '../../harness/bench/processor-time.ts';
import type { Target } from '../../harness/cluster/cluster.ts';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import {
  childEnvironment,
  clientUrl,
  type MemberAddress,
  serverCommand,
} from '../../harness/cluster/process/programs.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';

export interface MemberMemory {
  readonly rssBytes: number;
  readonly peakBytes: number;
}

export interface MemberFiles {
  readonly snapBytes: number;
  readonly walBytes: number;
}

const READY_MS_MAX = 120_000;
const POLL_MS = 5;
const END_MS_MAX = 30_000;

/** One server process, started again on the same directory as often as wanted. */
export class BenchMember {
  readonly name: string;
  readonly endpoint: string;
  readonly client: EtcdClient;
  readonly #command: readonly [string, ...string[]];
  readonly #dataDirectory: string;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(
    name: string,
    at: { endpoint: string; dataDirectory: string },
    command: readonly [string, ...string[]],
  ) {
    this.name = name;
    this.endpoint = at.endpoint;
    this.#dataDirectory = at.dataDirectory;
    this.#command = command;
    this.client = new EtcdClient({ endpoint: at.endpoint, timeoutMs: 120_000 });
  }

  /** False if it was never started or has ended by itself. */
  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the time from its start to the answer to a linearizable read. */
  async start(): Promise<number> {
    const startMs = performance.now();
    const [program, ...flags] = this.#command;
    const log = openSync(`${this.#dataDirectory}.log`, 'a');
    const child = spawn(program, flags, {
      stdio: ['ignore', log, log],
      env: childEnvironment(),
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
    while (performance.now() - startMs < READY_MS_MAX) {
      if (!this.isRunning) break;
      const answer = await this.client.get('ready', { timeoutMs: 1_000 });
      if (answer.ok) return performance.now() - startMs;
      await sleep(POLL_MS);
    }
    const said = readFileSync(`${this.#dataDirectory}.log`, 'utf8').slice(-600);
    throw new Error(`${this.name} does not answer; its log ends: ${said}`);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return;
    this.#child?.kill(signal);
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), END_MS_MAX);
    await this.#exited;
    clearTimeout(timer);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Of all threads since the start, in milliseconds; steps of 10. */
  processorMs(): number {
    return (readProcessorTime([this.pid])?.processUs.get(this.pid) ?? Number.NaN) / 1_000;
  }

  killNow(): void {
    if (this.isRunning) this.#child?.kill('SIGKILL');
  }

  memory(): MemberMemory {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const bytesOf = (field: string): number =>
      Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
    return { rssBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM') };
  }

  /** The peak starts again at what is resident now. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  files(): MemberFiles {
    const member = join(this.#dataDirectory, 'member');
    return { snapBytes: sizeOf(join(member, 'snap')), walBytes: sizeOf(join(member, 'wal')) };
  }
}

/** Blocks on the disk: a file's size may be more than it takes. */
function sizeOf(directory: string): number {
  return readdirSync(directory)
    .map((name) => statSync(join(directory, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}

export interface BenchClusterOptions {
  readonly target: Target;
  readonly memberCount: number;
  readonly directory: string;
  readonly serverFlags: readonly string[];
  /** Members of ours write their CPU profiles there when they end. */
  readonly profileDirectory: string | undefined;
}

export class BenchCluster {
  readonly members: readonly BenchMember[];
  readonly #directory: string;

  static async open(options: BenchClusterOptions): Promise<BenchCluster> {
    const runId = `million-keys-${process.pid}-${options.target.kind}`;
    const ports = await choosePorts(2 * options.memberCount, runId);
    const addresses = Array.from({ length: options.memberCount }, (_, at): MemberAddress => {
      const [client, peer] = [ports[2 * at]!, ports[2 * at + 1]!];
      return { name: `n${at + 1}`, ports: { client, peer, proxy: peer, diskControl: 0 } };
    });
    const { target, memberCount, serverFlags, directory } = options;
    const config = {
      ...{ runId, memberCount, runDirectory: directory, target, serverFlags },
      ...{ heartbeatMs: 100, electionMs: 1_000 },
    };
    const members = addresses.map((address) => {
      const dataDirectory = join(directory, address.name);
      const command = serverCommand(config, { ...address, dataDirectory }, addresses);
      const at = { endpoint: clientUrl(address.ports), dataDirectory };
      return new BenchMember(address.name, at, profiled(command, options));
    });
    const cluster = new BenchCluster(members, directory);
    process.on('exit', cluster.#killNow);
    mkdirSync(directory, { recursive: true });
    await Promise.all(members.map((member) => member.start()));
    return cluster;
  }

  private constructor(members: readonly BenchMember[], directory: string) {
    this.members = members;
    this.#directory = directory;
  }

  async leader(): Promise<BenchMember> {
    for (const member of this.members) {
      const status = await member.client.status();
      if (status.ok && status.value.leader === status.value.header.memberId) return member;
    }
    await sleep(100);
    return this.leader();
  }

  /** Resolves once all have applied what the furthest has, and nothing more comes. */
  async settled(): Promise<void> {
    for (let [before, unchanged] = [-1, 0]; unchanged < 3; ) {
      await sleep(300);
      const statuses = await Promise.all(this.members.map(({ client }) => client.status()));
      const applied = statuses.map((status) => (status.ok ? status.value.appliedIndex : -1));
      const isEqual = applied.every((index) => index === applied[0] && index >= 0);
      unchanged = isEqual && applied[0] === before ? unchanged + 1 : 0;
      before = applied[0] ?? -1;
    }
  }

  async close(): Promise<void> {
    const all = this.members.map((member) => member.end('SIGTERM'));
    await Promise.all(all);
    for (const member of this.members) member.client.close();
    process.off('exit', this.#killNow);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  readonly #killNow = (): void => {
    for (const member of this.members) member.killNow();
    rmSync(this.#directory, { recursive: true, force: true });
  };
}

function profiled(
  command: readonly [string, ...string[]],
  { target, profileDirectory }: BenchClusterOptions,
): readonly [string, ...string[]] {
  if (profileDirectory === undefined || target.kind === 'etcd') return command;
  const [program, ...rest] = command;
  return [program, '--cpu-prof', `--cpu-prof-dir=${profileDirectory}`, ...rest];
}

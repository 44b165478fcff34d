/**
 * Members as plain processes on loopback, without the proxies and disks of the process backend:
 * nothing stands between them and what is measured.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/ports/clock.ts';
import type { ClusterNode, Target } from '../cluster/cluster.ts';
import { Member } from '../cluster/process/member.ts';
import { choosePorts } from '../cluster/process/ports.ts';
import { signalGroup } from '../cluster/process/process-table.ts';
import { childEnvironment, clientUrl, serverCommand } from '../cluster/process/programs.ts';
import { awaitListening } from '../cluster/process/readiness.ts';
import { Registration } from '../cluster/process/registry.ts';
import { StormError } from '../exit-code.ts';
import { findLeader, type MemberProbe } from '../member-probe.ts';
import { RUN_DEFAULTS } from '../options.ts';
import { sleep, waitUntil } from '../timing.ts';

export interface BenchClusterOptions {
  /** Unique among everything that runs on this machine. */
  readonly runId: string;
  /** Is made, and removed with everything in it. */
  readonly directory: string;
  readonly target: Target;
  readonly memberCount: number;
  /** Members of ours write their CPU profiles there when they end. */
  readonly profileDirectory: string | undefined;
}

/** The members, and who leads. */
export interface BenchRoles {
  readonly leader: ClusterNode;
  readonly leaderPid: number;
  readonly followerPids: readonly number[];
}

const READY_MS_MAX = 60_000;
const READY_POLL_MS = 100;
const ASK_TIMEOUT_MS = 1_000;
/** Elections are over, the members know each other's versions, and are as idle as they get. */
const SETTLE_MS = 2_000;
const END_MS_MAX = 20_000;
const END_POLL_MS = 20;

export class BenchCluster {
  readonly nodes: readonly ClusterNode[];
  readonly #members: ReadonlyMap<string, Member>;
  readonly #options: BenchClusterOptions;
  readonly #registration: Registration;

  /** Throws ClusterError when a member does not come up; nothing is left running then. */
  static async open(options: BenchClusterOptions): Promise<BenchCluster> {
    const { memberCount, runId, directory } = options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const ports = await choosePorts(2 * memberCount, runId);
    const cluster = new BenchCluster(options, ports);
    try {
      await Promise.all([...cluster.#members.values()].map((member) => member.start()));
      for (const [at, member] of [...cluster.#members.values()].entries()) {
        await awaitListening(member, ports[2 * at]!);
      }
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  private constructor(options: BenchClusterOptions, ports: readonly number[]) {
    this.#options = options;
    const { runId, directory, memberCount, target } = options;
    this.#registration = new Registration(runId, directory);
    const addresses = Array.from({ length: memberCount }, (_, at) => {
      const [client, peer] = [ports[2 * at]!, ports[2 * at + 1]!];
      // Peers dial each other, and there is no disk of ours.
      return { name: `n${at + 1}`, ports: { client, peer, proxy: peer, diskControl: 0 } };
    });
    const config = {
      ...{ runId, memberCount, runDirectory: directory, target, serverFlags: [] },
      ...{ heartbeatMs: RUN_DEFAULTS.heartbeatMs, electionMs: RUN_DEFAULTS.electionMs },
    };
    this.nodes = addresses.map(({ name, ports: own }) => ({ name, clientUrl: clientUrl(own) }));
    this.#members = new Map(
      addresses.map((address) => {
        const dataDirectory = join(directory, address.name);
        const command = serverCommand(config, { ...address, dataDirectory }, addresses);
        const member = new Member({
          name: address.name,
          command: this.#profiled(command, address.name),
          disk: { kind: 'plain', reason: 'measured as it is' },
          mount: dataDirectory,
          backing: dataDirectory,
          logPath: join(directory, `${address.name}.log`),
          environment: childEnvironment(),
          registration: this.#registration,
        });
        return [address.name, member];
      }),
    );
    process.on('exit', this.#killNow);
  }

  /** Resolves when every member answers reads and one leads. Throws {@link StormError}. */
  async roles(clock: Clock, probe: MemberProbe, signal: AbortSignal): Promise<BenchRoles> {
    const limits = { intervalMs: READY_POLL_MS, limitMs: READY_MS_MAX, signal };
    let leaderName: string | undefined;
    await waitUntil(clock, limits, async () => {
      const reads = this.nodes.map((node) => probe.linearizableRead(node, ASK_TIMEOUT_MS));
      if ((await Promise.all(reads)).includes(false)) return false;
      leaderName = await findLeader(probe, this.nodes, ASK_TIMEOUT_MS);
      return leaderName !== undefined;
    });
    const leader = this.nodes.find(({ name }) => name === leaderName);
    if (leader === undefined) {
      const logs = [...this.#members.values()].map((member) => member.logTail.slice(-300));
      throw new StormError(
        `${this.#options.target.kind}: not ready; logs end: ${logs.join(' | ')}`,
      );
    }
    await sleep(clock, SETTLE_MS, signal);
    const pids = new Map([...this.#members].map(([name, member]) => [name, member.pid]));
    const leaderPid = pids.get(leader.name);
    pids.delete(leader.name);
    const followerPids = [...pids.values()].filter((pid) => pid !== undefined);
    if (leaderPid === undefined || followerPids.length < pids.size) {
      throw new StormError(`${this.#options.target.kind}: a member has ended`);
    }
    return { leader, leaderPid, followerPids };
  }

  async close(): Promise<void> {
    const members = [...this.#members.values()];
    // A profile is only written by a process that ends by itself.
    if (this.#options.profileDirectory !== undefined) await endGently(members);
    await Promise.all(members.map((member) => member.kill()));
    process.off('exit', this.#killNow);
    this.#registration.close();
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  /** However the harness ends, unless by SIGKILL: then the next sweep does it. */
  readonly #killNow = (): void => {
    for (const member of this.#members.values()) member.killNow();
  };

  #profiled(command: readonly [string, ...string[]], name: string): readonly [string, ...string[]] {
    const { profileDirectory, runId, target } = this.#options;
    if (profileDirectory === undefined || target.kind === 'etcd') return command;
    const [program, ...rest] = command;
    const file = `--cpu-prof-name=${runId}-${name}.cpuprofile`;
    return [program, '--cpu-prof', `--cpu-prof-dir=${profileDirectory}`, file, ...rest];
  }
}

async function endGently(members: readonly Member[]): Promise<void> {
  for (const { pid } of members) if (pid !== undefined) signalGroup(pid, 'SIGTERM');
  const { promise, resolve } = Promise.withResolvers<void>();
  let waitedMs = 0;
  const timer = setInterval(() => {
    waitedMs += END_POLL_MS;
    if (waitedMs < END_MS_MAX && members.some((member) => member.isRunning)) return;
    clearInterval(timer);
    resolve();
  }, END_POLL_MS);
  await promise;
}

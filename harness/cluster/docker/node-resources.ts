/** Processor, memory, clock and log of one member in a container. */

import { buffer } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { type CapabilityReport, type ClusterConfig, ClusterError } from '../cluster.ts';
import { LogRelay } from '../log-relay.ts';
import { MemberClock } from '../member-clock.ts';
import { hasInstrument, NO_GO_CLOCK } from '../process/resources.ts';
import {
  type CpuUsage,
  type LogStall,
  type MemoryPressure,
  notInstrumented,
  type ResourceControl,
  resourceReports,
} from '../resource-control.ts';
import { controlDone, parseAnswer } from './control-call.ts';
import { tolerate } from './daemon.ts';
import { demuxLogs } from './log-frames.ts';
import { LOG_FIFO } from './server-command.ts';

const PERIOD_US = 100_000;

/** Above what it uses: a limit below would be refused, or cost the page cache only. */
const MEMORY_HEADROOM_BYTES = 8 * 2 ** 20;

/**
 * Takes more memory ($2) than the container may have, once the server ($1: its name) is who must
 * go when there is none: the disk in front of it, whose command line has `--` in it, would be as
 * good to the kernel.
 */
const EXHAUST = `
for process in /proc/[0-9]*; do
  words=$(tr '\\0' '\\n' 2>/dev/null <"$process/cmdline") || continue
  echo "$words" | grep -qx -e "--name=$1" || continue
  echo "$words" | grep -qx -e -- || echo 1000 >"$process/oom_score_adj"
done
dd if=/dev/zero of=/dev/null bs="$2" count=1
`;

export function dockerResourceReports(config: ClusterConfig): CapabilityReport[] {
  return resourceReports({
    'cpu-quota': { yes: "a quota of the container's cgroup" },
    'memory-limit': { yes: "a limit of the container's cgroup, and the kernel's OOM killer" },
    clock:
      config.target.kind !== 'stormraft'
        ? { no: NO_GO_CLOCK }
        : hasInstrument(config, 'clock')
          ? { yes: 'libfaketime in the server' }
          : notInstrumented('clock-skew'),
    'log-stall': hasInstrument(config, 'log-relay')
      ? { yes: 'a FIFO whose reader is stopped' }
      : notInstrumented('log-stall'),
  });
}

export interface NodeResourcesParts {
  readonly name: string;
  readonly server: Dockerode.Container;
  /** Of the daemon's machine: a limit that is none. */
  machineMemoryBytes(): Promise<number>;
  readonly agentUrl: string;
  /** Off the network the agent cannot be asked. */
  isCut(): boolean;
}

export class NodeResources {
  readonly clock: MemberClock;
  readonly #parts: NodeResourcesParts;
  readonly #relay: LogRelay;
  #isLimited = false;

  constructor(parts: NodeResourcesParts) {
    this.#parts = parts;
    const url = `${parts.agentUrl}/clock`;
    this.clock = new MemberClock({
      name: parts.name,
      listens: async () => !parts.isCut() && (await this.#listens()),
      ask: async (method, body) => parseAnswer(await controlDone({ method, url, body })),
    });
    this.#relay = new LogRelay(LOG_FIFO, (script, parameters) => this.#run(script, parameters));
  }

  async setCpuQuota(percent: number | undefined): Promise<void> {
    const quota =
      percent === undefined
        ? { CpuQuota: -1 }
        : { CpuPeriod: PERIOD_US, CpuQuota: Math.round((percent / 100) * PERIOD_US) };
    await this.#update(quota);
  }

  async cpuUsage(): Promise<CpuUsage> {
    const { cpu_stats: cpu } = await this.#stats();
    return {
      usedMs: cpu.cpu_usage.total_usage / 1e6,
      throttled: cpu.throttling_data.throttled_periods,
    };
  }

  /** Resolves when the memory was asked for: the server is dead or dying then. */
  async exhaustMemory(): Promise<MemoryPressure> {
    const { name } = this.#parts;
    const { memory_stats: memory } = await this.#stats();
    const usedBytes = memory.usage;
    const limitBytes = usedBytes + MEMORY_HEADROOM_BYTES;
    this.#isLimited = true;
    await this.#update({ Memory: limitBytes, MemorySwap: limitBytes });
    // The end of the container ends the script too, at whatever point it is.
    await this.#run(EXHAUST, [name, String(2 * limitBytes)]).catch(() => undefined);
    return { limitBytes, usedBytes };
  }

  async memoryDeath(): Promise<string | undefined> {
    const { Running, OOMKilled, ExitCode } = (await this.#parts.server.inspect()).State;
    return !Running && OOMKilled ? `OOMKilled, exit code ${ExitCode}` : undefined;
  }

  async liftMemoryLimit(): Promise<void> {
    if (!this.#isLimited) return;
    const Memory = await this.#parts.machineMemoryBytes();
    await this.#update({ Memory, MemorySwap: Memory });
    this.#isLimited = false;
  }

  async stallLog(): Promise<void> {
    await this.#relay.stall();
  }

  async logStall(): Promise<LogStall> {
    return this.#relay.state(['[0-9]*']);
  }

  async resumeLog(): Promise<void> {
    // The relay dies with its member, and begins anew with it.
    if (await this.#listens()) await this.#relay.resume();
  }

  async #listens(): Promise<boolean> {
    const { Running, Paused } = (await this.#parts.server.inspect()).State;
    return Running && !Paused;
  }

  async #update(limits: object): Promise<void> {
    const { name, server } = this.#parts;
    await tolerate(`limiting ${name}`, [], () => server.update(limits));
  }

  async #stats(): Promise<Dockerode.ContainerStats> {
    const { name, server } = this.#parts;
    let stats: Dockerode.ContainerStats | undefined;
    await tolerate(`measuring ${name}`, [], async () => {
      stats = await server.stats({ stream: false, 'one-shot': true });
    });
    if (stats?.cpu_stats?.cpu_usage === undefined || stats.memory_stats?.usage === undefined) {
      throw new ClusterError(`${name} is not running`);
    }
    return stats;
  }

  /** Runs a shell script beside the server; answers what it printed. */
  async #run(script: string, parameters: readonly string[]): Promise<string> {
    const { name, server } = this.#parts;
    let said = '';
    await tolerate(`a script in ${name}`, [], async () => {
      const exec = await server.exec({
        Cmd: ['sh', '-c', script, 'sh', ...parameters],
        AttachStdout: true,
        AttachStderr: true,
      });
      said = demuxLogs(await buffer(await exec.start({ hijack: true, stdin: false }))).toString();
      const { ExitCode } = await exec.inspect();
      if (ExitCode !== 0) throw new Error(`exit code ${ExitCode}: ${said}`);
    });
    return said;
  }
}

/** The nodes of a cluster by their names. */
export function byName(resourcesOf: (node: string) => NodeResources): ResourceControl {
  return {
    setCpuQuota: async (node, percent) => resourcesOf(node).setCpuQuota(percent),
    cpuUsage: async (node) => resourcesOf(node).cpuUsage(),
    exhaustMemory: async (node) => resourcesOf(node).exhaustMemory(),
    memoryDeath: async (node) => resourcesOf(node).memoryDeath(),
    liftMemoryLimit: async (node) => resourcesOf(node).liftMemoryLimit(),
    restoreClock: async (node) => resourcesOf(node).clock.restore(),
    stallLog: async (node) => resourcesOf(node).stallLog(),
    logStall: async (node) => resourcesOf(node).logStall(),
    resumeLog: async (node) => resourcesOf(node).resumeLog(),
  };
}

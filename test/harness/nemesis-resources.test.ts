/** Faults of a member's processor, memory and log: proven by what was measured, and healed. */
import { describe, expect, test } from 'vitest';
import type {
  CpuUsage,
  LogStall,
  MemoryPressure,
  ResourceControl,
} from '../../harness/cluster/resource-control.ts';
import { instrumentsFor } from '../../harness/cluster/resource-control.ts';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { FakeCluster } from './fake-cluster.ts';
import { inTurn, type Ran, run } from './nemesis-lab.ts';
import { VirtualClock } from './virtual-clock.ts';

const QUOTA: FaultSpec = { kind: 'cpu-quota', node: 'n1', percent: 5 };
const MEMORY: FaultSpec = { kind: 'memory-limit', node: 'n1' };
const STALL: FaultSpec = { kind: 'log-stall', node: 'n1' };
const MIB = 2 ** 20;

interface Flaws {
  readonly doNothing?: boolean;
}

/** A machine on which a member uses 40 % of a core when nobody holds it back. */
class FakeResources implements ResourceControl {
  readonly #cluster: FakeCluster;
  readonly #clock: VirtualClock;
  readonly #flaws: Flaws;
  #usedMs = 0;
  #readNs = 0;
  #percent = 40;
  #isLimited = false;
  #isStalled = false;

  constructor(cluster: FakeCluster, clock: VirtualClock, flaws: Flaws) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#flaws = flaws;
  }

  get isWhole(): boolean {
    return this.#percent === 40 && !this.#isLimited && !this.#isStalled;
  }

  async setCpuQuota(_node: string, percent: number | undefined): Promise<void> {
    await this.cpuUsage();
    if (this.#flaws.doNothing !== true) this.#percent = percent ?? 40;
  }

  async cpuUsage(): Promise<CpuUsage> {
    const nowNs = this.#clock.nowNs();
    this.#usedMs += ((nowNs - this.#readNs) / 1e6) * (this.#percent / 100);
    this.#readNs = nowNs;
    return { usedMs: this.#usedMs, throttled: this.#percent === 40 ? 0 : nowNs / 1e8 };
  }

  async exhaustMemory(node: string): Promise<MemoryPressure> {
    this.#isLimited = true;
    if (this.#flaws.doNothing !== true) this.#cluster.dead.add(node);
    return { limitBytes: 40 * MIB, usedBytes: 80 * MIB };
  }

  async memoryDeath(node: string): Promise<string | undefined> {
    return this.#cluster.dead.has(node) ? 'OOMKilled' : undefined;
  }

  async liftMemoryLimit(): Promise<void> {
    this.#isLimited = false;
  }

  async restoreClock(): Promise<void> {}

  async stallLog(): Promise<void> {
    this.#isStalled = true;
  }

  async logStall(): Promise<LogStall> {
    const isFull = this.#flaws.doNothing !== true;
    return { waitingBytes: 65_536, isFull, blockedThreads: 2 };
  }

  async resumeLog(): Promise<void> {
    this.#isStalled = false;
  }
}

async function one(spec: FaultSpec, flaws: Flaws = {}, dead = false): Promise<Ran> {
  const clock = new VirtualClock();
  const cluster = new FakeCluster();
  const resources = new FakeResources(cluster, clock, flaws);
  Object.assign(cluster, { resources });
  if (dead) cluster.dead.add('n1');
  const ran = await run(inTurn([spec]), { cluster, clock });
  expect(resources.isWhole).toBe(true);
  return ran;
}

describe('faults of resources', () => {
  test.each<[FaultSpec, string, string]>([
    [QUOTA, 'n1 gets 5 % of a core', '5.0 % of a core used of 5 %, 40 % before'],
    [MEMORY, 'n1 runs out of memory', 'n1: OOMKilled; limit 40 MiB, 80 MiB used'],
    [STALL, 'nobody reads the log of n1', 'log full: 65536 bytes wait; 2 threads of n1 hang'],
  ])('%o is proven and healed', async (spec, description, observation) => {
    const { cluster, context, records } = await one(spec);
    expect(records[0]).toMatchObject({ effect: 'observed', description });
    expect(records[0]!.observation).toContain(observation);
    expect(cluster.isWhole).toBe(true);
    expect(context.diedAlone).toEqual(new Set());
  });

  test.each<[FaultSpec, string]>([
    [QUOTA, '40.0 % of a core used of 5 %, 40 % before'],
    [MEMORY, 'n1 has not died of it; limit 40 MiB, 80 MiB used'],
    [STALL, 'the log takes more; 2 threads of n1 hang in a write'],
  ])('%o without an effect is seen', async (spec, observation) => {
    const { cluster, records } = await one(spec, { doNothing: true });
    expect(records[0]!.effect).toBe('no-effect');
    expect(records[0]!.observation).toContain(observation);
    expect(cluster.isWhole).toBe(true);
  });

  test.each([QUOTA, MEMORY, STALL])('%o does not hide a death', async (spec) => {
    const { context, records } = await one(spec, {}, true);
    expect(records[0]).toMatchObject({ observation: 'n1 had died alone before' });
    expect(context.diedAlone).toEqual(new Set(['n1']));
  });

  test('a backend without them refuses', async () => {
    const { records } = await run(inTurn([QUOTA]));
    expect(records[0]).toMatchObject({ effect: 'no-effect' });
    expect(records[0]!.observation).toContain('inject failed');
  });
});

test('members are made ready for what the run asks for, and nothing else', () => {
  expect(instrumentsFor(['kill', 'cpu-quota', 'memory-limit'])).toEqual([]);
  expect(instrumentsFor(['log-stall', 'clock-skew'])).toEqual(['clock', 'log-relay']);
});

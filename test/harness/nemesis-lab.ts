/** Runs a fault schedule against a fake cluster, in virtual time. */
import type { Op } from '../../checkers/history/op.ts';
import { runSchedule } from '../../harness/nemesis/compose.ts';
import type { FaultSpec, NemesisContext } from '../../harness/nemesis/fault.ts';
import type { PlannedFault } from '../../harness/nemesis/schedule.ts';
import { Recorder } from '../../harness/recorder.ts';
import type { FaultRecord } from '../../reports/run-record.ts';
import { FakeCluster, type FakeFlaws, fakeProbe } from './fake-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

/** One fault after the other, one second each. */
export function inTurn(specs: readonly FaultSpec[]): PlannedFault[] {
  return specs.map((spec, at) => ({
    id: at + 1,
    startMs: 1_000 + at * 3_000,
    durationMs: 1_000,
    spec,
  }));
}

export interface Ran {
  readonly cluster: FakeCluster;
  readonly context: NemesisContext;
  readonly records: readonly FaultRecord[];
  readonly history: readonly Op[];
}

export interface Setup {
  readonly flaws?: FakeFlaws;
  readonly cluster?: FakeCluster;
  readonly signal?: AbortSignal;
  readonly clock?: VirtualClock;
  readonly untilNs?: number;
}

export function contextOf(
  cluster: FakeCluster,
  clock: VirtualClock = new VirtualClock(),
): NemesisContext {
  cluster.clock = clock;
  const probe = fakeProbe(cluster);
  return { cluster, probe, clock, diedAlone: new Set(), givenUp: new Set() };
}

export async function run(schedule: readonly PlannedFault[], setup: Setup = {}): Promise<Ran> {
  const { clock = new VirtualClock(), cluster = new FakeCluster(setup.flaws) } = setup;
  const { signal = new AbortController().signal, untilNs = Number.POSITIVE_INFINITY } = setup;
  const recorder = new Recorder(clock, () => undefined);
  const context = contextOf(cluster, clock);
  const records = await runSchedule({ schedule, context, recorder, signal, untilNs });
  return { cluster, context, records, history: recorder.history };
}

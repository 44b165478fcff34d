/**
 * Carries out a fault schedule while clients run: each fault is prepared, injected, proven and
 * healed on its own time line, and both steps go into the history as pairs of nemesis ops.
 */
import type { FaultRecord } from '../../reports/run-record.ts';
import { ClusterError } from '../cluster/cluster.ts';
import type { Recorder } from '../recorder.ts';
import { sleep } from '../timing.ts';
import type {
  FaultFamily,
  FaultKind,
  NemesisContext,
  Observation,
  PreparedFault,
} from './fault.ts';
import { familiesOf, prepareFault } from './packages.ts';
import type { PlannedFault } from './schedule.ts';
import { STATUS_TIMEOUT_MS } from './target.ts';

/** A refused heal is tried again: leaving a fault in place would spoil everything after it. */
const HEAL_ATTEMPTS_MAX = 3;
const HEAL_RETRY_MS = 500;

export interface NemesisOptions {
  readonly schedule: readonly PlannedFault[];
  readonly context: NemesisContext;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** Nanoseconds of the run from which no fault is injected: nobody would be there to notice. */
  readonly untilNs: number;
  /** Called as faults come and go, with what is in place now. */
  readonly onChange?: (active: readonly string[]) => void;
}

/**
 * Runs the whole schedule, starting now. A fault whose turn comes too late is one without effect.
 * When the signal is aborted, no further fault is injected and those in place are healed. Rejects
 * with {@link ClusterError} when a fault cannot be healed.
 */
export async function runSchedule(options: NemesisOptions): Promise<FaultRecord[]> {
  const startNs = options.recorder.nowNs();
  const active: string[] = [];
  const changed = (): void => options.onChange?.([...active]);
  // Faults of one family wait for each other, should the machine run behind the plan.
  const tails = new Map<FaultFamily, Promise<unknown>>();
  const running = options.schedule.map(async (fault) => {
    const dueMs = fault.startMs - (options.recorder.nowNs() - startNs) / 1e6;
    const families = familiesOf(fault.spec.kind);
    const turn = Promise.allSettled(families.map((family) => tails.get(family)));
    const done = sleep(options.context.clock, Math.max(0, dueMs), options.signal)
      .then(() => turn)
      .then(async () => {
        if (options.signal.aborted) return undefined;
        active.push(fault.spec.kind);
        changed();
        try {
          return await runFault(options, fault);
        } finally {
          active.splice(active.indexOf(fault.spec.kind), 1);
          changed();
        }
      });
    for (const family of families) tails.set(family, done);
    return done;
  });
  // Every fault gets to heal before a failure of one of them is passed on.
  await Promise.allSettled(running);
  const records = await Promise.all(running);
  return records.filter((record) => record !== undefined);
}

async function runFault(options: NemesisOptions, fault: PlannedFault): Promise<FaultRecord> {
  const { context, recorder, signal } = options;
  const { kind } = fault.spec;
  const prepared = await prepareOrRefuse(context, fault);
  if (recorder.nowNs() >= options.untilNs) return notStarted(kind, prepared, recorder.nowNs());
  const note = (step: string): number => {
    const { description, nodes } = prepared;
    const value = { fault: fault.id, step, description, nodes };
    return recorder.record({ process: 'nemesis', type: 'info', f: kind, value }).time;
  };
  const injectStartNs = note('inject');
  let injectEndNs = injectStartNs;
  let healStartNs = injectStartNs;
  let healEndNs = injectStartNs;
  let observation: Observation;
  try {
    observation = await environmentSafe('inject', async () => {
      await prepared.inject();
      injectEndNs = note('injected');
      return holdAndObserve(context, prepared, fault.durationMs, signal);
    });
  } finally {
    healStartNs = note('heal');
    await healStubbornly(context, prepared);
    healEndNs = note('healed');
  }
  const { description, nodes } = prepared;
  const times = { injectStartNs, injectEndNs, healStartNs, healEndNs };
  return { kind, description, nodes, ...times, ...observation };
}

function notStarted(kind: FaultKind, prepared: PreparedFault, nowNs: number): FaultRecord {
  const { description, nodes } = prepared;
  return {
    kind,
    description,
    nodes,
    injectStartNs: nowNs,
    injectEndNs: nowNs,
    healStartNs: nowNs,
    healEndNs: nowNs,
    effect: 'no-effect',
    observation: 'not started in time',
  };
}

/** Keeps the fault for its time and probes its effect shortly before the end. */
async function holdAndObserve(
  context: NemesisContext,
  prepared: PreparedFault,
  durationMs: number,
  signal: AbortSignal,
): Promise<Observation> {
  const endNs = context.clock.nowNs() + durationMs * 1e6;
  const probeMs = Math.min(STATUS_TIMEOUT_MS, durationMs / 2);
  await sleep(context.clock, durationMs - probeMs, signal);
  const observation = await environmentSafe('probe', () => prepared.observe());
  await sleep(context.clock, Math.max(0, (endNs - context.clock.nowNs()) / 1e6), signal);
  return observation;
}

/** A fault that cannot even be prepared still takes its place in history and records. */
async function prepareOrRefuse(
  context: NemesisContext,
  fault: PlannedFault,
): Promise<PreparedFault> {
  try {
    return await prepareFault(context, fault.spec);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return {
      description: `${fault.spec.kind} not prepared`,
      nodes: [],
      inject: () => Promise.reject(error),
      observe: () => Promise.reject(error),
      heal: () => Promise.resolve(),
    };
  }
}

/** A step that the environment refuses is a fault without effect, not the end of the run. */
async function environmentSafe(
  step: string,
  work: () => Promise<Observation>,
): Promise<Observation> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return { effect: 'no-effect', observation: `${step} failed: ${error.message}` };
  }
}

async function healStubbornly(context: NemesisContext, prepared: PreparedFault): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await prepared.heal();
      return;
    } catch (error) {
      if (!(error instanceof ClusterError) || attempt >= HEAL_ATTEMPTS_MAX) throw error;
      await sleep(context.clock, HEAL_RETRY_MS);
    }
  }
}

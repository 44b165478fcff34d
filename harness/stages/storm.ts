/**
 * The storm itself: clients and nemesis together, then healing, recovery and final reads.
 * History and samples go to the run directory as they happen; the outcome is returned.
 */
import type { FaultRecord } from '../../reports/run-record.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Workload } from '../../workloads/workload.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { StormError } from '../exit-code.ts';
import { Interpreter } from '../interpreter.ts';
import type { MemberProbe } from '../member-probe.ts';
import { runSchedule } from '../nemesis/compose.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import type { Plan } from '../plan.ts';
import type { Progress } from '../progress.ts';
import { Recorder } from '../recorder.ts';
import {
  describeRecovery,
  READY_LIMIT_MS,
  recover,
  recoveryLimitMs,
  waitUntilReadable,
} from '../recovery.ts';
import { startSampler } from '../sampler.ts';
import { seededRandom } from '../seeded-random.ts';
import { OUTCOME_FORMAT, type Outcome, type RunDirectory } from '../store.ts';

export interface StormOptions {
  readonly plan: Plan;
  readonly cluster: Cluster;
  readonly probe: MemberProbe;
  readonly workload: Workload;
  readonly directory: RunDirectory;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Final reads that take longer than this are left unfinished, and their checker says so. */
const FINAL_LIMIT_MS = 60_000;
const LIVE_INTERVAL_MS = 500;

/**
 * Rejects with {@link StormError} when the cluster never becomes ready or the run is
 * interrupted; faults are healed before it rejects.
 */
export async function runStorm(options: StormOptions): Promise<Outcome> {
  const { plan, cluster, probe, workload, directory, clock, progress, signal } = options;
  const context: NemesisContext = {
    cluster,
    probe,
    clock,
    diedAlone: new Set(),
    givenUp: new Set(),
  };
  const unready = await waitUntilReadable(context, READY_LIMIT_MS, signal);
  if (unready.length > 0 && !signal.aborted) {
    throw new StormError(
      `${unready.join(', ')} never answered a read; see logs in ${directory.path}`,
    );
  }
  const startedAt = new Date(clock.wallMs()).toISOString();
  const historyFile = directory.openHistory();
  const samplesFile = directory.openSamples();
  const recorder = new Recorder(clock, (line) => historyFile.append(line));
  const interpreter = new Interpreter({
    workload,
    nodes: cluster.nodes,
    concurrency: plan.concurrency,
    opTimeoutMs: plan.opTimeoutMs,
    random: seededRandom(plan.seed).fork('workload'),
    clock,
    recorder,
  });
  const sampler = startSampler({
    nodes: cluster.nodes,
    probe,
    clock,
    nowNs: () => recorder.nowNs(),
    onSample: (sample) => samplesFile.append(`${JSON.stringify(sample)}\n`),
  });
  try {
    const faults = await withClientsAndFaults(options, { context, interpreter, recorder });
    const stormEndNs = recorder.nowNs();
    if (signal.aborted) throw new StormError(`interrupted; the history is in ${directory.path}`);
    const recovery = await recover(context, recoveryLimitMs(plan.electionMs), signal);
    progress.print(`heal: ${describeRecovery(recovery)}`);
    const finalEndNs = recorder.nowNs() + FINAL_LIMIT_MS * 1e6;
    await interpreter.run(workload.finalGenerator, finalEndNs, signal);
    if (signal.aborted) throw new StormError(`interrupted; the history is in ${directory.path}`);
    return {
      format: OUTCOME_FORMAT,
      startedAt,
      stormEndNs,
      endNs: recorder.nowNs(),
      historyOps: recorder.history.length,
      historyIsFull: recorder.isFull,
      recovery,
      faults: [...faults, ...skippedFaults(plan)],
    };
  } finally {
    sampler[Symbol.dispose]();
    interpreter.close();
    await Promise.all([historyFile.close(), samplesFile.close()]);
  }
}

/** Both sides end before this does: a failure of one stops the other, which heals first. */
async function withClientsAndFaults(
  options: StormOptions,
  parts: {
    readonly context: NemesisContext;
    readonly interpreter: Interpreter;
    readonly recorder: Recorder;
  },
): Promise<FaultRecord[]> {
  const { plan, workload, clock, progress } = options;
  const { context, interpreter, recorder } = parts;
  const untilNs = plan.timeLimitMs * 1e6;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const stopOnFailure = <Value>(work: Promise<Value>): Promise<Value> =>
    work.catch((error: unknown) => {
      failed.abort();
      throw error;
    });
  let active: readonly string[] = [];
  const live = clock.every(LIVE_INTERVAL_MS, () => {
    const seconds = (recorder.nowNs() / 1e9).toFixed(1);
    const faults = active.length > 0 ? `  ${active.join(' + ')}` : '';
    const ops = `${recorder.history.length} history ops`;
    progress.live(`storm: ${seconds} of ${plan.timeLimitMs / 1000} s  ${ops}${faults}`);
  });
  const clients = stopOnFailure(interpreter.run(workload.generator, untilNs, signal));
  const nemesis = stopOnFailure(
    runSchedule({
      schedule: plan.schedule,
      context,
      recorder,
      signal,
      untilNs,
      onChange: (now) => {
        active = now;
      },
    }),
  );
  await Promise.allSettled([clients, nemesis]);
  live[Symbol.dispose]();
  await clients;
  return nemesis;
}

/** Faults that were asked for and are not possible here stay visible in the records. */
function skippedFaults(plan: Plan): FaultRecord[] {
  return plan.missingFaults.map(({ kind, detail }) => ({
    kind,
    description: 'not possible with this backend here',
    nodes: [],
    injectStartNs: 0,
    injectEndNs: 0,
    healStartNs: 0,
    healEndNs: 0,
    effect: 'skipped',
    observation: detail,
  }));
}

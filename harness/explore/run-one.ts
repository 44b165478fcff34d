/** One run of an exploration: a cluster of its own, a storm, and everything that can be judged. */
import { readFileSync, rmSync } from 'node:fs';
import type { Op } from '../../checkers/history/op.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Workload } from '../../workloads/workload.ts';
import { type Cluster, ClusterError, type Target } from '../cluster/cluster.ts';
import { StormError } from '../exit-code.ts';
import type { MemberProbe } from '../member-probe.ts';
import { drawSchedule } from '../nemesis/schedule.ts';
import { openCluster } from '../open-cluster.ts';
import { makePlan, nodeNames, type Plan } from '../plan.ts';
import { waitUntilReadable } from '../recovery.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Services } from '../services.ts';
import { runStorm } from '../stages/storm.ts';
import type { Outcome, RunDirectory } from '../store.ts';
import { sleep, within } from '../timing.ts';
import { type ExploreRun, LYING } from './draw-run.ts';
import { exploreWorkload, threadsOf } from './explore-workload.ts';
import { distinct, type Finding } from './finding.ts';
import { connectFully } from './full-client.ts';
import { compareHashes } from './hash-check.ts';
import { crashesIn, endOf } from './log-check.ts';
import { needlessElections, watchLag } from './needless-elections.ts';
import { rootedProbe } from './rooted-probe.ts';
import { RunAudit } from './run-audit.ts';
import { watchLives } from './watch-lives.ts';

export interface OneRequest {
  readonly run: ExploreRun;
  readonly target: Target;
  readonly runsDirectory: string;
}

/** What one run showed. */
export interface Shown {
  readonly findings: readonly Finding[];
  /** Of all that could be judged: why something was not. */
  readonly reasons: readonly string[];
  /** Something was judged. */
  readonly isKnown: boolean;
  /** Kinds that took effect. */
  readonly faults: readonly string[];
  readonly lies: boolean;
  /** With everything of the run; the caller removes what is not worth keeping. */
  readonly directory: string | undefined;
}

/** Start-up, healing, final reads and checks come on top of the storm. */
const BESIDE_STORM_MS = 120_000;
/** Whoever does not notice that the time is over is left behind. */
const NOTICE_MS = 30_000;
/** Beyond the time that members have to answer after healing. */
const LATE_MS_MAX = 30_000;
const LOG_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Never rejects because of what the members do: a run that comes to nothing says why. Rejects with
 * StormError when it was interrupted.
 */
export async function runOne(services: Services, request: OneRequest): Promise<Shown> {
  const { run } = request;
  const over = new AbortController();
  const limitMs = run.timeLimitMs + BESIDE_STORM_MS;
  const timer = services.clock.after(limitMs, () => over.abort());
  const signal = AbortSignal.any([services.signal, over.signal]);
  // Its lines would drown those of the exploration.
  const silent = { print: () => undefined, live: () => undefined };
  const work = storm({ ...services, progress: silent, signal }, request);
  try {
    const shown = await within(services.clock, limitMs + NOTICE_MS, work);
    return shown ?? nothing(run, 'the run did not end in time');
  } catch (error) {
    if (services.signal.aborted) throw new StormError('interrupted');
    const reason = error instanceof Error ? error.message : String(error);
    return nothing(run, over.signal.aborted ? 'the run took too long' : reason);
  } finally {
    timer[Symbol.dispose]();
    work.catch(() => undefined);
  }
}

function nothing(run: ExploreRun, reason: string): Shown {
  const lies = run.faults.includes(LYING);
  return {
    ...{ findings: [], reasons: [reason], isKnown: false, faults: [] },
    ...{ lies, directory: undefined },
  };
}

async function storm(services: Services, { run, target, runsDirectory }: OneRequest) {
  const { memberCount, heartbeatMs, electionMs, serverFlags } = run;
  const opened = await openCluster(services, {
    choice: 'process',
    runsDirectory,
    label: `explore-${run.index}`,
    config: { memberCount, heartbeatMs, electionMs, target, serverFlags },
  });
  const { directory } = opened;
  try {
    await using raw = opened.cluster;
    return await stormOn(services, { run, target, directory, raw });
  } catch (error) {
    rmSync(directory.path, { recursive: true, force: true });
    throw error;
  }
}

interface Opened {
  readonly run: ExploreRun;
  readonly target: Target;
  readonly directory: RunDirectory;
  readonly raw: Cluster;
}

async function stormOn(
  services: Services,
  { run, target, directory, raw }: Opened,
): Promise<Shown> {
  const { clock, progress, signal } = services;
  const logOf = (node: string): string => tailOf(directory.file(`${node}.log`));
  const lives = watchLives(raw, logOf);
  const { cluster } = lives;
  const plan = planOf(run, target, cluster);
  directory.savePlan(plan);
  directory.saveEnvironment(cluster.environment);
  directory.saveText('explore-run.json', `${JSON.stringify(run, null, 1)}\n`);
  const audit = new RunAudit(connectFully);
  let isOver = false;
  const background = {
    wait: (delayMs: number) => sleep(clock, delayMs),
    isOver: () => isOver,
  };
  const workload = exploreWorkload(run, (endpoint) => audit.connect(endpoint), background);
  const probe = rootedProbe(services.openProbe());
  const lag = watchLag(clock);
  const history: Op[] = [];
  try {
    const outcome = await runStorm({
      ...{ plan, cluster, probe, workload, directory, clock, progress, signal },
    });
    directory.saveOutcome(outcome);
    const ended = await endedAmong(cluster);
    const living = cluster.nodes.filter(({ name }) => !ended.includes(name));
    const context = { cluster, probe, clock };
    const mute = await availability(context, outcome, ended, signal);
    const hash = await compareHashes(living, connectFully, clock, signal);
    await cluster.collectLogs(directory.logsDirectory);
    history.push(...directory.readHistory(outcome.historyOps));
    const checked = check(workload, history);
    const kinds = outcome.faults.filter(({ effect }) => effect === 'observed');
    const deed = kinds.length === 0 ? '' : `; ${[...new Set(kinds.map(({ kind }) => kind))]}`;
    const findings = [
      ...audit.findings,
      ...checked.findings,
      ...(hash.finding === undefined ? [] : [hash.finding]),
      ...cluster.nodes.flatMap(({ name }) => crashesIn(name, logOf(name), deed)),
      ...lives.endedAlone(ended).flatMap(({ node, log }) => endOf(node, log) ?? []),
      ...mute,
      ...needlessElections(run, directory.readSamples(), lag.worstMs()),
    ];
    return {
      findings: distinct(findings),
      reasons: checked.unknown,
      isKnown: checked.isKnown,
      faults: [...new Set(kinds.map(({ kind }) => kind))],
      lies: run.faults.includes(LYING),
      directory: directory.path,
    };
  } finally {
    isOver = true;
    lag[Symbol.dispose]();
    probe.close();
  }
}

function planOf(run: ExploreRun, target: Target, cluster: Cluster): Plan {
  const { seed, memberCount, heartbeatMs, electionMs, timeLimitMs, faults, slotElections } = run;
  const plan = makePlan(
    {
      ...{ seed, memberCount, heartbeatMs, electionMs, timeLimitMs, faults, target },
      concurrency: threadsOf(run.parts),
      ratePerSecond: run.parts.reduce((sum, { opsPerSecond }) => sum + opsPerSecond, 0),
      requiredFaults: [],
    },
    cluster.backend,
    cluster.capabilities,
  );
  const missing = new Set(plan.missingFaults.map(({ kind }) => kind));
  const schedule = drawSchedule(
    {
      nodes: nodeNames(memberCount),
      kinds: faults.filter((kind) => !missing.has(kind)),
      ...{ timeLimitMs, electionMs, density: { marginMs: 2_000, slotElections } },
    },
    seededRandom(seed).fork('schedule'),
  );
  return { ...plan, schedule };
}

function check(workload: Workload, history: readonly Op[]) {
  const findings: Finding[] = [];
  const unknown: string[] = [];
  let isKnown = false;
  for (const checker of workload.checkers) {
    const { name, validity, summary, evidence } = checker.check(history);
    if (validity === 'valid') isKnown ||= name !== 'statistics';
    if (validity === 'unknown') unknown.push(`${name}: ${summary}`);
    if (validity !== 'invalid') continue;
    isKnown = true;
    findings.push({ checker: name, sentence: evidence?.sentence ?? summary });
  }
  return { findings, unknown, isKnown };
}

async function endedAmong(cluster: Cluster): Promise<string[]> {
  const names = cluster.nodes.map(({ name }) => name);
  const running = await Promise.all(names.map((name) => cluster.isRunning(name)));
  return names.filter((_, at) => !running[at]);
}

/**
 * Members that run, and answer no read, when nothing is at fault any more. Without a majority of
 * them nobody could; those that have ended are told as such. Whoever answers a little later was
 * slowed down by the machine.
 */
async function availability(
  context: { readonly cluster: Cluster; readonly probe: MemberProbe; readonly clock: Clock },
  { recovery }: Outcome,
  ended: readonly string[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const { nodes } = context.cluster;
  const mute = recovery.unreadable.filter((name) => !ended.includes(name));
  if (mute.length === 0 || (nodes.length - ended.length) * 2 <= nodes.length) return [];
  const still = await waitUntilReadable(context, LATE_MS_MAX, signal, mute);
  if (still.length === 0) return [];
  const limitS = (recovery.limitMs + LATE_MS_MAX) / 1000;
  const words = `for more than ${limitS} s after all faults were healed: ${still.join(', ')}`;
  const sentence = `members that run, with a majority of others, answered no read ${words}`;
  return [{ checker: 'availability', sentence }];
}

function tailOf(path: string): string {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(Math.max(0, bytes.length - LOG_BYTES_MAX)).toString('utf8');
  } catch (error) {
    throw new ClusterError(`${path}: cannot be read`, { cause: error });
  }
}

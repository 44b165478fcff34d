/**
 * The plan: everything a run decides beforehand, as a pure function of seed, options and what
 * the backend can do. Plain JSON, saved first, printed in one line; the same three inputs give
 * the same plan on every machine.
 */
import type { Backend, CapabilityReport, Target } from './cluster/cluster.ts';
import type { FaultKind } from './nemesis/fault.ts';
import { FAULT_PACKAGES } from './nemesis/packages.ts';
import { drawSchedule, type PlannedFault } from './nemesis/schedule.ts';
import { describePlaces } from './network/wan.ts';
import { seededRandom } from './seeded-random.ts';

export const PLAN_FORMAT = 'storm-plan/1';

/** What the user asked for; validated. */
export interface RunOptions {
  readonly seed: number;
  readonly memberCount: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** Length of the storm: clients and faults; start-up, healing and final reads come on top. */
  readonly timeLimitMs: number;
  /** Client processes at any time. */
  readonly concurrency: number;
  /** Operations asked for per second, all clients together. */
  readonly ratePerSecond: number;
  readonly faults: readonly FaultKind[];
  /** Kinds without whose observed effect the verdict is unknown. */
  readonly requiredFaults: readonly FaultKind[];
  readonly target: Target;
  /** How far apart members are: a name in wan-profiles.json. */
  readonly wan?: string;
  /** Synthetic disks, as fast as this name in latency-profiles.json says. */
  readonly disk?: string;
  readonly tls?: boolean;
}

export interface Plan extends RunOptions {
  readonly format: typeof PLAN_FORMAT;
  readonly backend: Backend;
  /** Time allowed to one client operation. */
  readonly opTimeoutMs: number;
  /** Faults asked for that this backend cannot do here. */
  readonly missingFaults: readonly { readonly kind: FaultKind; readonly detail: string }[];
  readonly schedule: readonly PlannedFault[];
  /** The file that the schedule is written in, where it was not drawn. */
  readonly planFile?: string;
}

/** A schedule made by hand. */
export interface Written {
  readonly schedule: readonly PlannedFault[];
  readonly planFile?: string;
}

/** Longer than an undisturbed election's first round, short enough to keep clients busy. */
const OP_TIMEOUT_ELECTIONS = 1.5;
const OP_TIMEOUT_MS_LEAST = 1_000;

/** Node names of a cluster of `count` members. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `n${at + 1}`);
}

export function makePlan(
  options: RunOptions,
  backend: Backend,
  capabilities: readonly CapabilityReport[],
  written?: Written,
): Plan {
  const missingFaults = options.faults.flatMap((kind) => {
    const detail = whyMissing(kind, options.memberCount, capabilities);
    return detail === undefined ? [] : [{ kind, detail }];
  });
  const kinds = options.faults.filter(
    (kind) => !missingFaults.some((fault) => fault.kind === kind),
  );
  const schedule = written?.schedule ?? drawn(options, kinds);
  return {
    format: PLAN_FORMAT,
    backend,
    ...options,
    opTimeoutMs: Math.max(OP_TIMEOUT_MS_LEAST, options.electionMs * OP_TIMEOUT_ELECTIONS),
    missingFaults,
    schedule: schedule.filter(({ spec }) => kinds.includes(spec.kind)),
    ...(written?.planFile !== undefined && { planFile: written.planFile }),
  };
}

function drawn(options: RunOptions, kinds: readonly FaultKind[]): readonly PlannedFault[] {
  return drawSchedule(
    {
      nodes: nodeNames(options.memberCount),
      kinds,
      timeLimitMs: options.timeLimitMs,
      electionMs: options.electionMs,
    },
    seededRandom(options.seed).fork('schedule'),
  );
}

/**
 * The plan of `first`, for a run on another target: the same faults at the same times, but for those
 * that one of the two cannot do.
 */
export function planAs(
  first: Plan,
  options: RunOptions,
  here: { readonly backend: Backend; readonly capabilities: readonly CapabilityReport[] },
): Plan {
  const plan = makePlan(options, here.backend, here.capabilities, first);
  const missing = plan.missingFaults.map(({ kind }) => kind);
  const left = first.missingFaults.filter(({ kind }) => !missing.includes(kind));
  const others = left.map(({ kind, detail }) => ({
    kind,
    detail: `left out as in the first run: ${detail}`,
  }));
  return { ...plan, missingFaults: [...plan.missingFaults, ...others] };
}

/** The plan in one line for people. */
export function describePlan(plan: Plan): string {
  const faults = plan.schedule.map(
    (fault) => `${fault.spec.kind}@${(fault.startMs / 1000).toFixed(1)}s`,
  );
  const missing = plan.missingFaults.map((fault) => fault.kind);
  return [
    `seed ${plan.seed}, ${plan.memberCount} members on ${plan.backend}`,
    `heartbeat ${plan.heartbeatMs} ms, election ${plan.electionMs} ms`,
    ...(plan.wan === undefined ? [] : [describeWan(plan.wan, nodeNames(plan.memberCount))]),
    ...(plan.disk === undefined ? [] : [`disks in memory, as slow as: ${plan.disk}`]),
    ...(plan.tls === true ? ['TLS'] : []),
    `${plan.concurrency} clients at ${plan.ratePerSecond}/s for ${plan.timeLimitMs / 1000} s`,
    `${faults.length} faults: ${faults.join(' ') || 'none'}`,
    ...(missing.length > 0 ? [`not possible here: ${missing.join(' ')}`] : []),
  ].join('; ');
}

function describeWan(name: string, nodes: readonly string[]): string {
  return `${name}: ${describePlaces(name, nodes)}`;
}

/** Why the backend cannot do the fault on so many members; `undefined`: it can. */
function whyMissing(
  kind: FaultKind,
  memberCount: number,
  capabilities: readonly CapabilityReport[],
): string | undefined {
  const { needs } = FAULT_PACKAGES[kind];
  const report = capabilities.find((candidate) => candidate.capability === needs);
  if (report?.available !== true) return report?.detail ?? `the backend offers no ${needs}`;
  const fewest = membersNeeded(kind);
  return memberCount < fewest ? `needs ${fewest} members` : undefined;
}

/** Fewer members than this have no links that the fault could be about, or none to spare. */
export function membersNeeded(kind: FaultKind): number {
  const { family } = FAULT_PACKAGES[kind];
  // Of two members, none can be spared.
  if (family === 'membership') return 3;
  if (family !== 'network' && family !== 'links') return 1;
  return kind === 'partition-ring' ? 3 : 2;
}

/**
 * Whether a saved plan can be run as it is. People edit scenario files; what is wrong in one is
 * named by its field before a simulation trips over it.
 */
import { EVERYBODY, LEADER } from '../nemesis/fault.ts';
import { parseGrudge } from '../nemesis/grudge-json.ts';
import { FAULT_PACKAGES, isFaultKind } from '../nemesis/packages.ts';
import { nodeNames } from '../plan.ts';
import { SEED_BOUND, seededRandom } from '../seeded-random.ts';
import { CHANGE_TYPES, SIM_FORMAT } from './plan.ts';

const MEMBERS_MAX = 7;
const SPARES_MAX = 7;

/** Names the field that is wrong and what it should be. */
export function whyNoPlan(plan: unknown): string | undefined {
  if (!isRecord(plan) || plan.format !== SIM_FORMAT) return `field plan.format: not ${SIM_FORMAT}`;
  const wrong = whyUnlike(plan, PLAN, 'plan');
  if (wrong !== undefined) return wrong;
  const { seed, memberCount } = plan as { readonly seed: number; readonly memberCount: number };
  if (!isIntegerIn(seed, 0, SEED_BOUND - 1)) return 'field plan.seed: no seed';
  if (!isIntegerIn(memberCount, 1, MEMBERS_MAX)) {
    return `field plan.memberCount: 1 to ${MEMBERS_MAX} expected, ${memberCount} found`;
  }
  const names = nodeNames(memberCount);
  const { spareCount } = plan as { readonly spareCount: number };
  if (!isIntegerIn(spareCount, 0, SPARES_MAX)) {
    return `field plan.spareCount: 0 to ${SPARES_MAX} expected, ${spareCount} found`;
  }
  const { core, schedule, script, changes } = plan as {
    readonly core: readonly string[];
    readonly changes: readonly { readonly type: string; readonly node: string }[];
    readonly schedule: readonly unknown[];
    readonly script?: unknown;
  };
  const stranger = core.find((name) => !names.includes(name));
  if (stranger !== undefined) return `field plan.core: no member ${stranger}`;
  const machines = nodeNames(memberCount + spareCount);
  for (const [at, fault] of schedule.entries()) {
    const problem = whyNoFault(fault, machines, `plan.schedule[${at}]`);
    if (problem !== undefined) return problem;
  }
  for (const [at, { type, node }] of changes.entries()) {
    const field = `field plan.changes[${at}]`;
    if (!CHANGE_TYPES.some((known) => known === type))
      return `${field}.type: one of ${CHANGE_TYPES.join(', ')}`;
    if (!machines.includes(node)) return `${field}.node: no machine ${node}`;
  }
  return script === undefined ? undefined : whyUnlike(script, [SCRIPTED], 'plan.script');
}

/**
 * What a value must be like: of a basic type, a list of such, an object with such fields, or,
 * `'between'`, the least and the most of something.
 */
type Shape =
  | 'number'
  | 'string'
  | 'boolean'
  | 'between'
  | readonly [Shape]
  | { readonly [field: string]: Shape };

const PLAN: Shape = {
  code: 'string',
  seed: 'number',
  memberCount: 'number',
  spareCount: 'number',
  heartbeatMs: 'number',
  electionMs: 'number',
  member: {
    snapshotCount: 'number',
    catchupEntries: 'number',
    segmentBytesMax: 'number',
    maxMessageBytes: 'number',
    maxInflightMessages: 'number',
    maxCommittedBytesPerTurn: 'number',
    maxUncommittedBytes: 'number',
    compactEveryMs: 'number',
    compactedRowsPerTick: 'number',
    leaseCheckpointS: 'number',
    watchRowsMax: 'number',
    watchFragmentBytes: 'number',
    watchProgressMs: 'number',
    watchUntakenMax: 'number',
    checkpointChunkBytes: 'number',
    rangeKeysPerTurn: 'number',
    pauseUs: 'number',
    strictReconfig: 'boolean',
    quotaBytes: 'number',
  },
  network: { latencyUs: 'between', clientLatencyUs: 'between', encodes: 'boolean' },
  disk: {
    writeUs: 'between',
    syncUs: 'between',
    processKillPercent: 'number',
    snapshotCrashPercent: 'number',
  },
  clockDriftPpm: ['number'],
  workload: {
    concurrency: 'number',
    ratePerSecond: 'number',
    opTimeoutMs: 'number',
    registerPercent: 'number',
    setPercent: 'number',
    kvPercent: 'number',
    leasePercent: 'number',
    lockPercent: 'number',
    watchPercent: 'number',
    upkeepPercent: 'number',
    authPercent: 'number',
    alarmPercent: 'number',
    electionPercent: 'number',
    burstMs: 'number',
    restMs: 'number',
    keys: 'number',
  },
  safetyMs: 'number',
  schedule: [{}],
  changes: [{ atMs: 'number', type: 'string', node: 'string' }],
  core: ['string'],
};

/** Members, in whatever groups. */
type Names = string | readonly (string | readonly string[])[];

const SCRIPTED: Shape = { atNs: 'number', thread: 'number', f: 'string' };
const FAULT: Shape = { id: 'number', startMs: 'number', durationMs: 'number', spec: {} };

function whyNoFault(fault: unknown, names: readonly string[], path: string): string | undefined {
  const wrong = whyUnlike(fault, FAULT, path);
  if (wrong !== undefined) return wrong;
  const { spec } = fault as { readonly spec: { readonly kind?: unknown } };
  const { kind } = spec;
  if (typeof kind !== 'string' || !isFaultKind(kind)) {
    return `field ${path}.spec.kind: no such fault`;
  }
  if (kind === 'partition-grudge') {
    const { grudge } = spec as { readonly grudge?: unknown };
    const parsed = parseGrudge(`${path}.spec.grudge`, grudge, names);
    return parsed.ok ? undefined : `field ${parsed.error}`;
  }
  // Any plan of this kind has the same fields.
  const example = FAULT_PACKAGES[kind].plan(nodeNames(MEMBERS_MAX), seededRandom(0));
  const unlike = whyUnlike(spec, shapeOf(example), `${path}.spec`);
  if (unlike !== undefined) return unlike;
  for (const field of ['node', 'nodes', 'minority', 'order', 'sides']) {
    const found = (spec as { readonly [field: string]: Names | undefined })[field] ?? [];
    const stands = 'direction' in spec ? [LEADER, EVERYBODY] : [LEADER];
    const known = [...stands, ...names];
    const stranger = [found].flat(2).find((name) => !known.includes(name));
    if (stranger !== undefined) return `field ${path}.spec.${field}: no member ${stranger}`;
  }
  return undefined;
}

function whyUnlike(value: unknown, shape: Shape, path: string): string | undefined {
  const expected = typeName(shape);
  const found = typeNameOf(value);
  if (expected !== found) return `field ${path}: ${expected} expected, ${found} found`;
  if (shape === 'between') {
    const [least, most] = value as readonly unknown[];
    const isRange = (value as readonly unknown[]).length === 2 && isRangeOf(least, most);
    return isRange ? undefined : `field ${path}: least and most expected`;
  }
  if (typeof shape === 'string') return undefined;
  const inner: readonly (readonly [string, Shape, unknown])[] = isList(shape)
    ? (value as readonly unknown[]).map((item, at) => [`${path}[${at}]`, shape[0], item])
    : Object.entries(shape).map(([field, of]) => [
        `${path}.${field}`,
        of,
        (value as { readonly [field: string]: unknown })[field],
      ]);
  for (const [where, of, item] of inner) {
    const wrong = whyUnlike(item, of, where);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function shapeOf(example: unknown): Shape {
  const type = typeNameOf(example);
  // Lists in faults that may be empty are lists of members.
  if (type === 'array') return [shapeOf((example as readonly unknown[])[0] ?? '')];
  if (type !== 'object') return type as 'number' | 'string' | 'boolean';
  const fields = Object.entries(example as { readonly [field: string]: unknown });
  return Object.fromEntries(fields.map(([field, value]) => [field, shapeOf(value)]));
}

function typeName(shape: Shape): string {
  if (shape === 'between' || isList(shape)) return 'array';
  return typeof shape === 'string' ? shape : 'object';
}

function typeNameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isRangeOf(least: unknown, most: unknown): boolean {
  return typeof least === 'number' && typeof most === 'number' && 0 <= least && least <= most;
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isIntegerIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && least <= value && value <= most;
}

function isRecord(value: unknown): value is { readonly [field: string]: unknown } {
  return typeNameOf(value) === 'object';
}

/**
 * Settings. First such that little is needed to reach any limit: a few entries make a
 * checkpoint, fill a segment, fill a message. At last, whatever is not needed for the failure
 * becomes what anybody would expect.
 */
import type { SimMemberOptions, SimPlan } from '../plan.ts';
import { reduceList } from './reduce-list.ts';
import type { Search } from './search.ts';
import { withTimes } from './time.ts';

const TIGHT: Partial<SimMemberOptions>[] = [
  { snapshotCount: 4, catchupEntries: 1 },
  { segmentBytesMax: 1_024 },
];

/** The defaults of a server, as far as they are any different in a simulation. */
const USUAL: SimMemberOptions = {
  snapshotCount: 10_000,
  catchupEntries: 5_000,
  segmentBytesMax: 1_048_576,
  maxMessageBytes: 1_048_576,
  maxInflightMessages: 512,
  compactEveryMs: 0,
  compactedRowsPerTick: 2_000,
  leaseCheckpointS: 5,
  watchRowsMax: 8_192,
  watchFragmentBytes: 2_097_152,
  watchProgressMs: 600_000,
  watchUntakenMax: 8,
  checkpointChunkBytes: 262_144,
  rangeKeysPerTurn: 1_000,
  pauseUs: 10,
  strictReconfig: true,
  quotaBytes: 0,
  maxCommittedBytesPerTurn: 1_048_576,
  maxUncommittedBytes: 268_435_456,
};
const USUAL_HEARTBEAT_MS = 100;
const USUAL_ELECTION_MS = 1_000;
const USUAL_TIMEOUT_MS = 5_000;

/** All limits tight, or those that can be. */
export async function makeTight(search: Search): Promise<void> {
  const tight = (options: Partial<SimMemberOptions>): SimPlan => ({
    ...search.plan,
    member: { ...search.plan.member, ...options },
  });
  if (await search.take(tight(Object.assign({}, ...TIGHT)))) return;
  for (const options of TIGHT) await search.take(tight(options));
}

/** Makes ordinary as many settings as it can, many at a time. */
export async function makeOrdinary(search: Search): Promise<void> {
  const { plan } = search;
  const apply = (changes: readonly Change[]): SimPlan =>
    changes.reduce((changed, change) => change(changed), { ...plan, seed: search.plan.seed });
  // What is left out of the list of odd settings becomes ordinary.
  await reduceList(CHANGES, (odd) =>
    search.take(apply(CHANGES.filter((change) => !odd.includes(change)))),
  );
}

type Change = (plan: SimPlan) => SimPlan;

const CHANGES: readonly Change[] = [
  (plan) => ({ ...plan, clockDriftPpm: plan.clockDriftPpm.map(() => 0) }),
  (plan) => ({ ...plan, network: { ...plan.network, encodes: false } }),
  (plan) => ({ ...plan, network: { ...plan.network, latencyUs: [500, 500] } }),
  (plan) => ({ ...plan, network: { ...plan.network, clientLatencyUs: [50, 50] } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, writeUs: [5, 5] } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, syncUs: [300, 300] } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, processKillPercent: 0 } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, processKillPercent: 100 } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, snapshotCrashPercent: 0 } }),
  ...Object.keys(USUAL).map((name): Change => {
    const option = name as keyof SimMemberOptions;
    return (plan) => ({ ...plan, member: { ...plan.member, [option]: USUAL[option] } });
  }),
  (plan) => ({ ...plan, workload: { ...plan.workload, opTimeoutMs: USUAL_TIMEOUT_MS } }),
  withUsualTiming,
  (plan) => withTimes(plan, Math.round),
];

/** Faults and operations keep their lengths and distances in election timeouts. */
function withUsualTiming(plan: SimPlan): SimPlan {
  const factor = USUAL_ELECTION_MS / plan.electionMs;
  const scaled = withTimes(plan, (ms) => ms * factor);
  return { ...scaled, heartbeatMs: USUAL_HEARTBEAT_MS, electionMs: USUAL_ELECTION_MS };
}

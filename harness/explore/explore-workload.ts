/** From the parts of a drawn run to one workload over real clients. */
import { statisticsChecker } from '../../checkers/statistics.ts';
import { assertNever } from '../../src/lib/assert.ts';
import { alarmWorkload } from '../../workloads/alarm/alarm.ts';
import { authWorkload } from '../../workloads/auth/auth.ts';
import type { Background } from '../../workloads/background.ts';
import { compose } from '../../workloads/compose.ts';
import { ELECTION_OPTIONS, electionWorkload } from '../../workloads/election/election.ts';
import { floodWorkload } from '../../workloads/flood/flood.ts';
import type { ConnectFully } from '../../workloads/full-client.ts';
import type { Pace } from '../../workloads/generator/pace.ts';
import { kvWorkload } from '../../workloads/kv/kv.ts';
import { KV_OPTIONS } from '../../workloads/kv/kv-generator.ts';
import { LEASE_OPTIONS, leaseWorkload } from '../../workloads/lease/lease.ts';
import { LOCK_OPTIONS, lockWorkload } from '../../workloads/lock/lock.ts';
import { registerWorkload } from '../../workloads/register/register.ts';
import { REGISTER_OPTIONS } from '../../workloads/register/register-generator.ts';
import { setWorkload } from '../../workloads/set/set.ts';
import { SET_OPTIONS } from '../../workloads/set/set-generator.ts';
import { upkeepWorkload } from '../../workloads/upkeep/upkeep.ts';
import { watchWorkload } from '../../workloads/watch/watch.ts';
import type { Workload } from '../../workloads/workload.ts';
import type { ExploreRun, Part } from './draw-run.ts';

/**
 * Clocks of clients and members are the same here; but the harness may be late to look at its
 * own. So much faster a member's clock may seem.
 */
const FASTEST_CLOCK = 1.05;

export function exploreWorkload(
  run: ExploreRun,
  connect: ConnectFully,
  background: Background,
): Workload {
  const composed = compose(
    'explore',
    run.parts.map((part) => ({
      threads: part.threads,
      workload: workloadOf(part, { run, connect, background }),
    })),
  );
  return { ...composed, checkers: [...composed.checkers, statisticsChecker()] };
}

/** Client threads of all parts. */
export function threadsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { threads }) => sum + threads, 0);
}

function workloadOf(
  { name, threads, opsPerSecond }: Part,
  parts: {
    readonly run: ExploreRun;
    readonly connect: ConnectFully;
    readonly background: Background;
  },
): Workload {
  const { connect, background } = parts;
  const { memberCount, shapes } = parts.run;
  const { keys, ttlsS, patiencesMs } = shapes;
  const pace: Pace = { meanNs: 1e9 / opsPerSecond, gaps: 'exponential' };
  switch (name) {
    case 'register': {
      const readers = Math.min(memberCount, Math.floor(threads / 2));
      return registerWorkload(connect, pace, { ...REGISTER_OPTIONS, readers });
    }
    case 'set':
      return setWorkload(connect, pace, {
        ...SET_OPTIONS,
        finalReadThreads: Math.min(memberCount, threadsOf(parts.run.parts)),
      });
    case 'kv':
      return kvWorkload(connect, pace, { ...KV_OPTIONS, keys });
    case 'lease':
      return leaseWorkload(connect, pace, background, {
        ...LEASE_OPTIONS,
        ttlsS,
        fastestClock: FASTEST_CLOCK,
      });
    case 'lock':
      return lockWorkload(connect, pace, background, {
        ...LOCK_OPTIONS,
        names: shapes.lockNames,
        ttlsS,
        patiencesMs,
      });
    case 'election':
      return electionWorkload(connect, pace, background, { ...ELECTION_OPTIONS, ttlsS });
    case 'watch':
      return watchWorkload(connect, pace, background.wait, {
        compacts: shapes.compacts,
        asksPercent: shapes.watchAsksPercent,
      });
    case 'upkeep':
      return upkeepWorkload(connect, pace);
    case 'auth':
      return authWorkload(connect, pace, { changes: shapes.authChanges });
    case 'alarm':
      return alarmWorkload(connect, pace, { memberCount });
    case 'flood':
      return floodWorkload(connect, shapes.flood);
    default:
      return assertNever(name);
  }
}

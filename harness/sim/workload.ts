/** The workload of a simulation: everything that clients can ask for, in drawn shares. */

import { REGISTER_FS } from '../../checkers/models/register-history.ts';
import { SET_FS } from '../../checkers/set-history.ts';
import { statisticsChecker } from '../../checkers/statistics.ts';
import { assertNever } from '../../src/lib/assert.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { ALARM_FS, alarmWorkload } from '../../workloads/alarm/alarm.ts';
import { AUTH_FS, authWorkload } from '../../workloads/auth/auth.ts';
import type { Background } from '../../workloads/background.ts';
import { compose, type Share } from '../../workloads/compose.ts';
import { ELECTION_FS, electionWorkload } from '../../workloads/election/election.ts';
import type { ConnectFully } from '../../workloads/full-client.ts';
import type { Generator } from '../../workloads/generator/generator.ts';
import { bursts, type Pace } from '../../workloads/generator/pace.ts';
import { script } from '../../workloads/generator/script.ts';
import { kvWorkload } from '../../workloads/kv/kv.ts';
import { KV_FS, KV_OPTIONS } from '../../workloads/kv/kv-generator.ts';
import { LEASE_FS, LEASE_OPTIONS, leaseWorkload } from '../../workloads/lease/lease.ts';
import { LOCK_FS, lockWorkload } from '../../workloads/lock/lock.ts';
import { registerWorkload } from '../../workloads/register/register.ts';
import { REGISTER_OPTIONS } from '../../workloads/register/register-generator.ts';
import { setWorkload } from '../../workloads/set/set.ts';
import { SET_OPTIONS } from '../../workloads/set/set-generator.ts';
import { UPKEEP_FS, upkeepWorkload } from '../../workloads/upkeep/upkeep.ts';
import { WATCH_FS, watchWorkload } from '../../workloads/watch/watch.ts';
import type { Workload } from '../../workloads/workload.ts';
import { sleep } from '../timing.ts';
import type { SimPlan, SimWorkloadOptions } from './plan.ts';

/** Short histories for each key: checking is a good part of a simulation's time. */
const OPS_PER_KEY = 120;

/** Every workload with a share, and how its functions are told. */
export const PARTS: readonly Part[] = [
  { percent: 'registerPercent', fs: REGISTER_FS, keys: 'register/' },
  { percent: 'setPercent', fs: SET_FS },
  { percent: 'kvPercent', fs: KV_FS, keys: 'kv/' },
  { percent: 'leasePercent', fs: LEASE_FS, keys: 'lease/', least: 2 },
  { percent: 'lockPercent', fs: LOCK_FS, least: 3 },
  { percent: 'watchPercent', fs: WATCH_FS },
  { percent: 'upkeepPercent', fs: UPKEEP_FS },
  { percent: 'authPercent', fs: AUTH_FS, keys: 'auth/' },
  { percent: 'alarmPercent', fs: ALARM_FS, keys: 'alarm/' },
  { percent: 'electionPercent', fs: ELECTION_FS, least: 3 },
];

export interface Part {
  readonly percent: SharePercent;
  readonly fs: readonly string[];
  /** What its keys begin with, if it does not matter which of them an operation names. */
  readonly keys?: string;
  /** Threads that it has at least, if there are enough: alone nobody waits for anybody. */
  readonly least?: number;
}

export type SharePercent = Extract<keyof SimWorkloadOptions, `${string}Percent`>;

/** `clock`: of the simulation. `isOver`: clients are to stop what they do by themselves. */
export function simWorkload(
  plan: SimPlan,
  connect: ConnectFully,
  clock: Clock,
  isOver: () => boolean = () => false,
): Workload {
  const background: Background = { wait: (delayMs) => sleep(clock, delayMs), isOver };
  const { workload: options } = plan;
  const percents = PARTS.map(({ percent }) => options[percent]);
  const least = PARTS.map((part) => part.least ?? 1);
  const threads = shareOut(options.concurrency, percents, least);
  const shares = PARTS.flatMap(({ percent }, at): Share[] => {
    const count = threads[at]!;
    if (count === 0) return [];
    const opsPerSecond = Math.max(0.01, (options.ratePerSecond * options[percent]) / 100);
    const pace: Pace = { meanNs: 1e9 / opsPerSecond, gaps: 'exponential' };
    const workload = makeWorkload(percent, { plan, connect, background, pace, threads: count });
    return [{ threads: count, workload }];
  });
  const composed = compose('sim', shares);
  return {
    ...composed,
    generator: plan.script === undefined ? inBursts(options, composed) : script(plan.script),
    checkers: [...composed.checkers, statisticsChecker()],
  };
}

interface Making {
  readonly plan: SimPlan;
  readonly connect: ConnectFully;
  readonly background: Background;
  readonly pace: Pace;
  readonly threads: number;
}

function makeWorkload(
  percent: SharePercent,
  { plan, connect, background, pace, threads }: Making,
): Workload {
  const { keys, concurrency } = plan.workload;
  const { memberCount } = plan;
  switch (percent) {
    case 'registerPercent': {
      const keysActive = Math.max(1, Math.min(keys, 4));
      const readers = Math.min(memberCount, Math.floor(threads / 2));
      const own = { keysActive, opsPerKey: OPS_PER_KEY, readers };
      return registerWorkload(connect, pace, { ...REGISTER_OPTIONS, ...own });
    }
    case 'setPercent': {
      const finalReadThreads = Math.min(memberCount, concurrency);
      return setWorkload(connect, pace, { ...SET_OPTIONS, finalReadThreads });
    }
    case 'kvPercent':
      return kvWorkload(connect, pace, { ...KV_OPTIONS, keys });
    case 'leasePercent':
      return leaseWorkload(connect, pace, background, {
        ...LEASE_OPTIONS,
        ttlsS: ttlsIn(plan),
        fastestClock: fastestIn(plan),
      });
    case 'lockPercent':
      return lockWorkload(connect, pace, background);
    case 'watchPercent':
      return watchWorkload(connect, pace, background.wait, {
        compacts: plan.member.compactEveryMs > 0 || plan.workload.upkeepPercent > 0,
      });
    case 'upkeepPercent':
      return upkeepWorkload(connect, pace);
    case 'authPercent':
      return authWorkload(connect, pace);
    case 'alarmPercent':
      return alarmWorkload(connect, pace, { memberCount });
    case 'electionPercent':
      return electionWorkload(connect, pace, background);
    default:
      return assertNever(percent);
  }
}

/** Short ones, a long one, and some of which what remains is logged once, or more often. */
function ttlsIn({ member: { leaseCheckpointS } }: SimPlan): readonly number[] {
  return [1, 2, leaseCheckpointS + 1, leaseCheckpointS + 1, 2 * leaseCheckpointS + 1, 15];
}

/** How much faster than true time any clock runs at any time, as a factor. */
function fastestIn({ clockDriftPpm, schedule }: SimPlan): number {
  const skews = schedule.map(({ spec }) => (spec.kind === 'clock-skew' ? spec.driftPercent : 0));
  const drift = 1 + Math.max(0, ...clockDriftPpm) / 1e6;
  return drift * (1 + Math.max(0, ...skews) / 100);
}

function inBursts(options: SimWorkloadOptions, { generator }: Workload): Generator {
  const { burstMs, restMs } = options;
  return restMs === 0 ? generator : bursts({ onNs: burstMs * 1e6, offNs: restMs * 1e6 }, generator);
}

/** Threads in proportion; whoever has a share gets its `least`, or 1, if there are enough. */
export function shareOut(
  threads: number,
  percents: readonly number[],
  least: readonly number[] = [],
): number[] {
  const shares = percents.map((percent, at) =>
    percent === 0 ? 0 : Math.max(least[at] ?? 1, Math.floor((threads * percent) / 100)),
  );
  const sum = (): number => shares.reduce((total, share) => total + share, 0);
  const largest = (): number => shares.indexOf(Math.max(...shares));
  while (sum() > threads) shares[largest()]! -= 1;
  while (sum() < threads) shares[largest()]! += 1;
  return shares;
}

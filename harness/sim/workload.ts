/** The workload of a simulation: registers, a set and the whole KV API, in drawn shares. */
import { statisticsChecker } from '../../checkers/statistics.ts';
import { compose, type Share } from '../../workloads/compose.ts';
import type { Generator } from '../../workloads/generator/generator.ts';
import { bursts, type Pace } from '../../workloads/generator/pace.ts';
import { script } from '../../workloads/generator/script.ts';
import { kvWorkload } from '../../workloads/kv/kv.ts';
import { KV_OPTIONS } from '../../workloads/kv/kv-generator.ts';
import type { Connect } from '../../workloads/kv-client.ts';
import { registerWorkload } from '../../workloads/register/register.ts';
import { REGISTER_OPTIONS } from '../../workloads/register/register-generator.ts';
import { setWorkload } from '../../workloads/set/set.ts';
import { SET_OPTIONS } from '../../workloads/set/set-generator.ts';
import type { Workload } from '../../workloads/workload.ts';
import type { SimPlan, SimWorkloadOptions } from './plan.ts';

/** Short histories for each key: checking is a good part of a simulation's time. */
const OPS_PER_KEY = 120;

export function simWorkload(plan: SimPlan, connect: Connect): Workload {
  const { workload: options, memberCount } = plan;
  const { concurrency, keys } = options;
  const percents = [options.registerPercent, options.setPercent, options.kvPercent];
  const threads = shareOut(concurrency, percents);
  const paces = percents.map((percent): Pace => {
    const opsPerSecond = Math.max(0.01, (options.ratePerSecond * percent) / 100);
    return { meanNs: 1e9 / opsPerSecond, gaps: 'exponential' };
  });
  const [registers, sets, kvs] = threads as [number, number, number];
  const register = {
    ...REGISTER_OPTIONS,
    keysActive: Math.max(1, Math.min(keys, 4)),
    opsPerKey: OPS_PER_KEY,
    readers: Math.min(memberCount, Math.floor(registers / 2)),
  };
  const set = { ...SET_OPTIONS, finalReadThreads: Math.min(memberCount, concurrency) };
  const shares: Share[] = [
    { threads: registers, workload: registerWorkload(connect, paces[0]!, register) },
    { threads: sets, workload: setWorkload(connect, paces[1]!, set) },
    { threads: kvs, workload: kvWorkload(connect, paces[2]!, { ...KV_OPTIONS, keys }) },
  ];
  const used = shares.filter((share) => share.threads > 0);
  const composed = compose('sim', used);
  return {
    ...composed,
    generator: plan.script === undefined ? inBursts(options, composed) : script(plan.script),
    checkers: [...composed.checkers, statisticsChecker()],
  };
}

function inBursts(options: SimWorkloadOptions, { generator }: Workload): Generator {
  const { burstMs, restMs } = options;
  return restMs === 0 ? generator : bursts({ onNs: burstMs * 1e6, offNs: restMs * 1e6 }, generator);
}

/** Threads in proportion; whoever has a share gets at least one, if there are enough. */
export function shareOut(threads: number, percents: readonly number[]): number[] {
  const shares = percents.map((percent) =>
    percent === 0 ? 0 : Math.max(1, Math.floor((threads * percent) / 100)),
  );
  const sum = (): number => shares.reduce((total, share) => total + share, 0);
  const largest = (): number => shares.indexOf(Math.max(...shares));
  while (sum() > threads) shares[largest()]! -= 1;
  while (sum() < threads) shares[largest()]! += 1;
  return shares;
}

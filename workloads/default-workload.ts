/** The workload of a run that names none: registers and a set, at a steady rate. */
import { statisticsChecker } from '../checkers/statistics.ts';
import { assert } from '../src/lib/assert.ts';
import { compose } from './compose.ts';
import type { Pace } from './generator/pace.ts';
import type { Connect } from './kv-client.ts';
import { registerWorkload } from './register/register.ts';
import { REGISTER_OPTIONS } from './register/register-generator.ts';
import { setWorkload } from './set/set.ts';
import { SET_OPTIONS } from './set/set-generator.ts';
import type { Workload } from './workload.ts';

export interface DefaultWorkloadOptions {
  readonly connect: Connect;
  /** Client threads of the run, ≥ 2. */
  readonly concurrency: number;
  /** Target rate of all threads together. */
  readonly opsPerSecond: number;
  /** Members of the cluster, each of which settles the set with reads of its own. */
  readonly memberCount: number;
}

/** Percent of the operations that go to the set. */
const SET_PERCENT = 20;

/**
 * As many threads for the set as there are members, so that every member is asked, but at most a
 * third; the others for the registers, of which as many only read. Ends never: bound it by time.
 */
export function defaultWorkload(options: DefaultWorkloadOptions): Workload {
  const { connect, concurrency, opsPerSecond, memberCount } = options;
  assert(concurrency >= 2, 'registers and set need a thread each');
  const setThreads = Math.max(1, Math.min(memberCount, Math.floor(concurrency / 3)));
  const setOpsPerSecond = (opsPerSecond * SET_PERCENT) / 100;
  const finalReadThreads = Math.min(memberCount, concurrency);
  const registerThreads = concurrency - setThreads;
  const readers = Math.min(memberCount, Math.floor(registerThreads / 2));
  const registerPace = paceOf(opsPerSecond - setOpsPerSecond);
  const workload = compose('default', [
    {
      threads: registerThreads,
      workload: registerWorkload(connect, registerPace, { ...REGISTER_OPTIONS, readers }),
    },
    {
      threads: setThreads,
      workload: setWorkload(connect, paceOf(setOpsPerSecond), { ...SET_OPTIONS, finalReadThreads }),
    },
  ]);
  return { ...workload, checkers: [...workload.checkers, statisticsChecker()] };
}

function paceOf(opsPerSecond: number): Pace {
  return { meanNs: 1e9 / opsPerSecond, gaps: 'exponential' };
}

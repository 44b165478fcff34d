/** A default run in virtual time: workload, storm, final reads, verdict. */
import { checkAll, type Verdict } from '../../checkers/compose.ts';
import type { Op } from '../../checkers/history/op.ts';
import { AssertionError } from '../../src/lib/assert.ts';
import { defaultWorkload } from '../../workloads/default-workload.ts';
import { timeLimit } from '../../workloads/generator/bounds.ts';
import type { Workload } from '../../workloads/workload.ts';
import { interpret } from './interpreter.ts';
import { type Defect, VirtualCluster } from './virtual-cluster.ts';

export const CONCURRENCY = 10;

export function testWorkload(): Workload {
  return defaultWorkload({
    connect: () => {
      throw new AssertionError('virtual clusters are not connected to');
    },
    concurrency: CONCURRENCY,
    opsPerSecond: 400,
    memberCount: 3,
  });
}

export function runDefault(
  defect: Defect,
  seed: number,
  stormNs: number,
): { readonly history: readonly Op[]; readonly verdict: Verdict } {
  const workload = testWorkload();
  const store = new VirtualCluster(defect, seed, stormNs - 4e9);
  const history: Op[] = [];
  const common = { store, seed, concurrency: CONCURRENCY, history };
  const generator = timeLimit(stormNs, workload.generator);
  const startNs = interpret({ ...common, generator, startNs: 0 });
  interpret({ ...common, generator: workload.finalGenerator, startNs });
  return { history, verdict: checkAll(workload.checkers, history) };
}

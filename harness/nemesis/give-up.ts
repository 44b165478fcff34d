/**
 * Members that start on a disk that a fault has damaged. Refusing it is the right answer, and a
 * member that refuses is given up: only an operator could bring it back.
 */
import { ClusterError } from '../cluster/cluster.ts';
import { waitUntil } from '../timing.ts';
import type { NemesisContext } from './fault.ts';
import { answersStatus, expectedNames } from './target.ts';

/** Far beyond any start of a member. */
const START_LIMIT_MS = 10_000;
const START_RETRY_MS = 50;

/** `undecided`: it runs and answers nothing, for longer than any start takes. */
export type StartOutcome = 'refused' | 'serving' | 'undecided';

/** Starts a member; one that ends before it can be seen to run has refused, as it may. */
export async function launchDamaged({ cluster }: NemesisContext, name: string): Promise<void> {
  try {
    await cluster.start(name);
  } catch (error) {
    if (!(error instanceof ClusterError) || (await cluster.isRunning(name))) throw error;
  }
}

/**
 * Waits until the member, which was launched on a damaged disk, has ended or serves. If it has
 * ended it is given up, unless no majority would be left: what the cluster cannot do without is
 * still missed when it is dead.
 */
export async function settleDamagedStart(
  context: NemesisContext,
  name: string,
): Promise<StartOutcome> {
  const outcome = await awaitStart(context, name);
  if (outcome !== 'refused') return outcome;
  const left = expectedNames(context).filter((other) => other !== name).length;
  if (left * 2 > context.cluster.nodes.length) context.givenUp.add(name);
  return outcome;
}

/** As {@link settleDamagedStart}, and nobody is given up. */
export async function awaitStart(context: NemesisContext, name: string): Promise<StartOutcome> {
  const { cluster, clock } = context;
  const limits = { intervalMs: START_RETRY_MS, limitMs: START_LIMIT_MS };
  const hasEnded = async (): Promise<boolean> => !(await cluster.isRunning(name));
  const isSettled = await waitUntil(
    clock,
    limits,
    async () => (await hasEnded()) || (await answersStatus(context, name)),
  );
  if (await hasEnded()) return 'refused';
  return isSettled ? 'serving' : 'undecided';
}

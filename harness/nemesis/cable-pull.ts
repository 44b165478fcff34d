/** One member is off the network; where the mechanism allows it, off that of its clients as well. */
import { type Cluster, ClusterError, type LinkCounter } from '../cluster/cluster.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { answersStatus, drawNodeChoice, resolveNode } from './target.ts';

export const cablePull: FaultPackage<'cable-pull'> = {
  kind: 'cable-pull',
  needs: 'cable-pull',
  family: 'network',
  // What drives the other faults may itself come over the cable.
  alsoExcludes: ['process', 'links', 'disk', 'clock'],
  lastsPercent: [55, 70],
  plan: (nodes, random) => ({ kind: 'cable-pull', node: drawNodeChoice(nodes, random) }),
  async prepare(context, spec) {
    const { cluster } = context;
    const { name, words } = await resolveNode(context, spec.node);
    const answered = await answersStatus(context, name);
    const before = await swallowed(cluster, name);
    return {
      description: `cable of ${words} pulled`,
      nodes: [name],
      inject: () => cluster.pullCable(name),
      observe: () => judge(context, name, { answered, swallowed: before }),
      heal: () => cluster.plugCable(name),
    };
  },
};

async function judge(
  context: NemesisContext,
  name: string,
  before: { readonly answered: boolean; readonly swallowed: number },
): Promise<Observation> {
  const answers = await answersStatus(context, name);
  if (before.answered && !answers) {
    return { effect: 'observed', observation: `${name} answered Status before, and is gone` };
  }
  const grown = (await swallowed(context.cluster, name)) - before.swallowed;
  return {
    effect: grown > 0 ? 'observed' : 'no-effect',
    observation: `links of ${name} swallowed ${grown}; it ${answers ? 'answers' : 'gives no'} Status`,
  };
}

/** On all links of the node; one that is off the network may not be there to be asked. */
async function swallowed(cluster: Cluster, name: string): Promise<number> {
  const counters: readonly LinkCounter[] = await cluster.linkCounters().catch((error: unknown) => {
    if (error instanceof ClusterError) return [];
    throw error;
  });
  return counters
    .filter(({ from, to }) => from === name || to === name)
    .reduce((sum, { dropped }) => sum + dropped, 0);
}

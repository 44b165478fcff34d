/** The cluster is one member smaller for a while; that member comes back with an empty disk. */
import { controlOf, insist, nodesToAsk } from '../administration/insist.ts';
import { Replacement } from '../administration/replacement.ts';
import { ClusterError } from '../cluster/cluster.ts';
import type { FaultPackage } from './fault.ts';
import { MEMBERSHIP, resolveReplaced } from './member-replace.ts';
import { drawNodeChoice, findDead } from './target.ts';

/** Of two, one must not go: the other would be nobody's majority should it fail. */
const VOTERS_MIN = 3;
const LIST_MS = 5_000;

export const shrinkGrow: FaultPackage<'shrink-grow'> = {
  ...MEMBERSHIP,
  kind: 'shrink-grow',
  plan: (nodes, random) => ({ kind: 'shrink-grow', node: drawNodeChoice(nodes, random) }),
  async prepare(context, { node }) {
    const { administration } = controlOf(context);
    const { name, words } = await resolveReplaced(context, node);
    const replacement = new Replacement(context, name);
    return {
      description: `the cluster shrinks by ${words}, and grows again`,
      nodes: [name],
      inject: async () => {
        await findDead(context, [name]);
        const asked = {
          what: 'listing the members',
          nodes: nodesToAsk(context, name),
          limitMs: LIST_MS,
        };
        const members = await insist(context, asked, (through) => administration.members(through));
        const voters = members.filter(({ isLearner }) => !isLearner).length;
        if (voters < VOTERS_MIN) throw new ClusterError(`only ${voters} voters`);
        await replacement.remove();
      },
      observe: async () => {
        const isGone = await replacement.isListedNoMore();
        const isRunning = await context.cluster.isRunning(name);
        const standing = isGone ? 'no member any more' : 'still a member';
        return {
          effect: isGone && !isRunning ? 'observed' : 'no-effect',
          observation: `${name} is ${standing}${isRunning ? ', and runs' : ''}`,
        };
      },
      heal: async () => {
        if (replacement.isBegun) await replacement.settle();
      },
    };
  },
};

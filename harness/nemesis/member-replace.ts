/**
 * One member is removed by MemberRemove, its data wiped, added again under the same URLs and
 * started anew: at once as a voter, or as a learner that healing promotes. A member that was given
 * up comes back by it, as an administrator would have it.
 */
import { Replacement } from '../administration/replacement.ts';
import type {
  FaultPackage,
  NemesisContext,
  NodeChoice,
  Observation,
  PreparedFault,
} from './fault.ts';
import { drawNodeChoice, findDead, type ResolvedNode, resolveNode } from './target.ts';

/** A newcomer has to fetch everything first. */
const SERVES_MS = 10_000;

/** What changes who is a member kills and starts, and cannot bear others who do. */
export const MEMBERSHIP = {
  needs: 'rejoin',
  family: 'membership',
  alsoExcludes: ['process', 'disk', 'upkeep'],
  lastsPercent: [20, 55],
  // Changes are refused until the last newcomer has been connected for five seconds.
  takesMs: 8_000,
} as const;

export const memberReplace: FaultPackage<'member-replace'> = {
  ...MEMBERSHIP,
  kind: 'member-replace',
  plan: (nodes, random) => ({ kind: 'member-replace', node: drawNodeChoice(nodes, random) }),
  prepare: (context, { node }) => replacementOf(context, node, { isLearner: false }),
};

export const learnerPromote: FaultPackage<'learner-promote'> = {
  ...MEMBERSHIP,
  kind: 'learner-promote',
  plan: (nodes, random) => ({ kind: 'learner-promote', node: drawNodeChoice(nodes, random) }),
  prepare: (context, { node }) => replacementOf(context, node, { isLearner: true }),
};

/** A member that was given up, if one was: while one is missing, no other can be spared. */
export async function resolveReplaced(
  context: NemesisContext,
  choice: NodeChoice,
): Promise<ResolvedNode> {
  const [missing] = context.givenUp;
  if (missing !== undefined) return { name: missing, words: `${missing} (given up before)` };
  return resolveNode(context, choice);
}

async function replacementOf(
  context: NemesisContext,
  choice: NodeChoice,
  how: { readonly isLearner: boolean },
): Promise<PreparedFault> {
  const { name, words } = await resolveReplaced(context, choice);
  const replacement = new Replacement(context, name, how);
  return {
    description: `remove ${words}, wipe it, add it as ${how.isLearner ? 'learner' : 'member'}`,
    nodes: [name],
    inject: async () => {
      await findDead(context, [name]);
      await replacement.remove();
      await replacement.rejoin();
    },
    observe: () =>
      how.isLearner ? observeLearner(context, name, replacement) : observeMember(name, replacement),
    heal: async () => {
      if (replacement.isBegun) await replacement.settle();
    },
  };
}

async function observeMember(name: string, replacement: Replacement): Promise<Observation> {
  const record = await replacement.listed();
  if (record === undefined || record.isLearner) {
    return { effect: 'no-effect', observation: `${name} is no new voter in MemberList` };
  }
  const serves = await replacement.serves(SERVES_MS);
  return {
    effect: serves ? 'observed' : 'no-effect',
    observation: `${name}: id ${replacement.ids}, ${serves ? 'answers' : 'does not answer'} reads`,
  };
}

async function observeLearner(
  context: NemesisContext,
  name: string,
  replacement: Replacement,
): Promise<Observation> {
  const record = await replacement.listed();
  const isLearner = record?.isLearner === true && (await context.cluster.isRunning(name));
  return {
    effect: isLearner ? 'observed' : 'no-effect',
    observation: `${name}: id ${replacement.ids}, ${isLearner ? 'a' : 'no'} learner that runs`,
  };
}

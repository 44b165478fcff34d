/**
 * One member gets an older copy of its own data directory, as from a backup of its machine. It has
 * acknowledged what that copy does not hold, so it must not serve from it. Healing replaces it.
 */
import { assertNever } from '../../src/lib/assert.ts';
import { controlOf } from '../administration/insist.ts';
import { Replacement } from '../administration/replacement.ts';
import { ClusterError, type ClusterNode } from '../cluster/cluster.ts';
import type { MemberControl } from '../cluster/member-control.ts';
import { sleep, waitUntil } from '../timing.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { MEMBERSHIP } from './member-replace.ts';
import {
  describeDead,
  drawNodeChoice,
  findDead,
  nodeNamed,
  resolveNode,
  STATUS_TIMEOUT_MS,
} from './target.ts';

/** How much the member acknowledges after the copy was made. */
const ENTRIES_LEAST = 20;
const RUN_ON_MS = 5_000;
const START_MS = 15_000;
const SETTLED_MS = 10_000;
const POLL_MS = 50;
const READ_MS = 1_000;
/** A member may find out what is wrong while it answers its first clients. */
const READS_LEAST = 3;

type Outcome = 'refused' | 'serving' | 'silent';

export const oldData: FaultPackage<'old-data'> = {
  ...MEMBERSHIP,
  kind: 'old-data',
  takesMs: 15_000,
  // A member that forgets can only be borne while nothing else goes wrong.
  alsoExcludes: [...MEMBERSHIP.alsoExcludes, 'network', 'links', 'clock'],
  plan: (nodes, random) => ({ kind: 'old-data', node: drawNodeChoice(nodes, random) }),
  async prepare(context, { node: choice }) {
    const { cluster, givenUp } = context;
    const control = controlOf(context);
    const { name, words } = await resolveNode(context, choice);
    const node = nodeNamed(context, name);
    let dead: readonly string[] = [];
    let behind: number | undefined;
    return {
      description: `an older copy of its data for ${words}`,
      nodes: [name],
      inject: async () => {
        if (givenUp.size > 0) throw new ClusterError('a member was given up: none can be spared');
        dead = await findDead(context, [name]);
        if (dead.length > 0) return;
        behind = await goBack(context, node, control);
        if (behind !== undefined) await launch(context, name);
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        if (behind === undefined) {
          return { effect: 'no-effect', observation: 'not done: no copy can be spared' };
        }
        return judge(name, behind, await settledStart(context, node));
      },
      heal: async () => {
        if (behind === undefined) {
          if (!(await cluster.isRunning(name))) await cluster.start(name);
          return;
        }
        await new Replacement(context, name).settle();
      },
    };
  },
};

/**
 * Resolves, with the member dead on old data, with how many entries that lacks; undefined: with its
 * own data, for no copy can be spared.
 */
async function goBack(
  context: NemesisContext,
  node: ClusterNode,
  control: MemberControl,
): Promise<number | undefined> {
  const { cluster, clock, probe } = context;
  const applied = async (): Promise<number> =>
    (await probe.status(node, STATUS_TIMEOUT_MS))?.appliedIndex ?? 0;
  const limits = { intervalMs: POLL_MS, limitMs: START_MS };
  await control.stop(node.name);
  await control.saveData(node.name);
  await cluster.start(node.name);
  const isBack = await waitUntil(clock, limits, () => probe.linearizableRead(node, READ_MS));
  if (!isBack) throw new ClusterError(`${node.name} does not serve after a restart`);
  const before = await applied();
  let after = before;
  await waitUntil(clock, { ...limits, limitMs: RUN_ON_MS }, async () => {
    after = Math.max(after, await applied());
    return after - before >= ENTRIES_LEAST;
  });
  await cluster.kill(node.name);
  return (await control.restoreData(node.name)) ? after - before : undefined;
}

/** It can end so quickly that the backend takes it for a bad launch. */
async function launch({ cluster }: NemesisContext, name: string): Promise<void> {
  try {
    await cluster.start(name);
  } catch (error) {
    if (!(error instanceof ClusterError) || (await cluster.isRunning(name))) throw error;
  }
}

async function settledStart(
  { cluster, clock, probe }: NemesisContext,
  node: ClusterNode,
): Promise<Outcome> {
  const endNs = clock.nowNs() + SETTLED_MS * 1e6;
  let reads = 0;
  while (clock.nowNs() < endNs) {
    if (!(await cluster.isRunning(node.name))) return 'refused';
    if (await probe.linearizableRead(node, READ_MS)) reads++;
    if (reads >= READS_LEAST) return 'serving';
    await sleep(clock, POLL_MS);
  }
  return 'silent';
}

function judge(name: string, behind: number, outcome: Outcome): Observation {
  const what = `data ${behind} entries old`;
  switch (outcome) {
    case 'refused':
      return { effect: 'observed', observation: `${name} ended on ${what}` };
    case 'silent':
      return { effect: 'observed', observation: `${name} serves nobody from ${what}` };
    case 'serving':
      return { effect: 'no-effect', observation: `${name} serves: ${what} did no harm` };
    default:
      return assertNever(outcome);
  }
}

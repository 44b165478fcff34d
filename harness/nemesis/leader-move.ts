/** The leadership is handed to another member by MoveLeader. There is nothing to heal. */
import { controlOf } from '../administration/insist.ts';
import { ClusterError } from '../cluster/cluster.ts';
import { drawOne } from '../draw.ts';
import { findLeader } from '../member-probe.ts';
import { sleep, waitUntil } from '../timing.ts';
import type { FaultPackage, NemesisContext } from './fault.ts';
import { expectedNames, nodeNamed, STATUS_TIMEOUT_MS } from './target.ts';

const MOVE_MS = 4_000;
const RETRY_MS = 150;
const SEEN_MS = 2_000;
const POLL_MS = 20;

interface Move {
  readonly from: string;
  readonly to: string;
  readonly tookMs: number | undefined;
}

/** What asks for upkeep at the same time as another does would hide its effect. */
export const UPKEEP = {
  needs: 'administration',
  family: 'upkeep',
  lastsPercent: [10, 30],
} as const;

export const leaderMove: FaultPackage<'leader-move'> = {
  ...UPKEEP,
  kind: 'leader-move',
  plan: (nodes, random) => ({ kind: 'leader-move', node: drawOne(random, nodes) }),
  async prepare(context, { node }) {
    controlOf(context);
    let move: Move | undefined;
    return {
      description: `MoveLeader to ${node}, or to the next if it leads`,
      nodes: expectedNames(context),
      inject: async () => {
        move = await insistOnMove(context, node);
      },
      observe: async () => {
        if (move === undefined) return { effect: 'no-effect', observation: 'nobody was moved' };
        const { from, to, tookMs } = move;
        return tookMs === undefined
          ? { effect: 'no-effect', observation: `${to} never led after ${from}` }
          : { effect: 'observed', observation: `${from} -> ${to}, seen after ${tookMs} ms` };
      },
      heal: () => Promise.resolve(),
    };
  },
};

/** Elections and other faults come between. */
async function insistOnMove(context: NemesisContext, choice: string): Promise<Move> {
  const { clock } = context;
  const endNs = clock.nowNs() + MOVE_MS * 1e6;
  for (let refusal = 'nobody leads'; ; ) {
    const leader = await findLeader(context.probe, context.cluster.nodes, STATUS_TIMEOUT_MS);
    const moved = leader === undefined ? refusal : await moveFrom(context, leader, choice);
    if (typeof moved !== 'string') return moved;
    refusal = moved;
    if (clock.nowNs() >= endNs) throw new ClusterError(`MoveLeader: ${refusal}`);
    await sleep(clock, RETRY_MS);
  }
}

/** A text is a refusal. */
async function moveFrom(
  context: NemesisContext,
  from: string,
  choice: string,
): Promise<Move | string> {
  const { clock, cluster, probe } = context;
  const { administration } = controlOf(context);
  const names = expectedNames(context);
  const others = names.filter((name) => name !== from);
  const to = others.includes(choice) ? choice : others[0];
  if (to === undefined) return 'there is nobody else';
  const status = await administration.status(nodeNamed(context, to));
  if (!status.ok) return status.error.message;
  const startNs = clock.nowNs();
  const target = status.value.memberId;
  const moved = await administration.moveLeader(nodeNamed(context, from), target);
  if (!moved.ok) return moved.error.message;
  const limits = { intervalMs: POLL_MS, limitMs: SEEN_MS };
  const isSeen = await waitUntil(
    clock,
    limits,
    async () => (await findLeader(probe, cluster.nodes, STATUS_TIMEOUT_MS)) === to,
  );
  return { from, to, tookMs: isSeen ? Math.round((clock.nowNs() - startNs) / 1e6) : undefined };
}

/**
 * A member dies, or waits each time, at a named point of its code. What the point is in the middle
 * of is what makes it another fault than a kill or a pause at any moment.
 */
import type { FailpointName } from '../../src/ports/failpoints.ts';
import { ClusterError } from '../cluster/cluster.ts';
import type { FailpointControl } from '../cluster/failpoint-control.ts';
import { drawOne } from '../draw.ts';
import { waitUntil } from '../timing.ts';
import {
  type FaultPackage,
  type FaultSpec,
  LEADER,
  type NemesisContext,
  type Observation,
  type PreparedFault,
} from './fault.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

/** All are reached within milliseconds under writes, wherever the member stands. */
const POINTS: readonly FailpointName[] = [
  'raftBeforeSave',
  'raftAfterSave',
  'raftBeforeAdvance',
  'beforeApplyOneEntryNormal',
  'walBeforeSync',
  'walAfterSync',
];
/** Of a leader only. */
const LEADER_POINT: FailpointName = 'raftBeforeLeaderSend';

const SLEEPS_MS: readonly number[] = [20, 50, 100];

/** A process that ends closes its sockets before anybody is told that it has. */
const END_LIMIT_MS = 2_000;
const END_RETRY_MS = 50;

type Spec = FaultSpec<'failpoint'>;

export const failpoint: FaultPackage<'failpoint'> = {
  kind: 'failpoint',
  needs: 'failpoints',
  family: 'process',
  lastsPercent: [20, 55],
  plan: (nodes, random) => {
    const point = drawOne(random, [...POINTS, LEADER_POINT]);
    const node = point === LEADER_POINT ? LEADER : drawNodeChoice(nodes, random);
    // Three times in four: that is what kills at any moment do not do.
    const isPanic = random.below(4) > 0;
    const sleepMs = isPanic ? 0 : drawOne(random, SLEEPS_MS);
    return { kind: 'failpoint', node, point, sleepMs };
  },
  async prepare(context, spec) {
    const { failpoints } = context.cluster;
    if (failpoints === undefined) throw new ClusterError('members without failpoints');
    const { name, words } = await resolveNode(context, spec.node);
    return prepared(context, spec, { failpoints, name, words });
  },
};

interface At {
  readonly failpoints: FailpointControl;
  readonly name: string;
  readonly words: string;
}

function prepared(
  context: NemesisContext,
  { point, sleepMs }: Spec,
  { failpoints, name, words }: At,
): PreparedFault {
  const { cluster } = context;
  const isPanic = sleepMs === 0;
  let dead: readonly string[] = [];
  return {
    description: isPanic
      ? `${words} dies at ${point}`
      : `${words} waits ${sleepMs} ms each time at ${point}`,
    nodes: [name],
    inject: async () => {
      dead = await findDead(context, [name]);
      if (dead.length > 0) return;
      await failpoints.set(name, point, isPanic ? 'panic' : `sleep(${sleepMs})`);
    },
    observe: async () => {
      if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
      return isPanic
        ? observeDeath(context, name, failpoints)
        : observeWaits(point, name, failpoints);
    },
    heal: async () => {
      await failpoints.clear(name, point);
      if (isPanic && (await failpoints.count(name, point)) === undefined)
        await hasEnded(context, name);
      if (!(await cluster.isRunning(name))) await cluster.start(name);
    },
  };
}

async function observeDeath(
  context: NemesisContext,
  name: string,
  failpoints: FailpointControl,
): Promise<Observation> {
  if (!(await hasEnded(context, name))) {
    return { effect: 'no-effect', observation: `${name} still runs` };
  }
  const line = await failpoints.panicLine(name);
  if (line !== undefined) return { effect: 'observed', observation: `${name} gone: ${line}` };
  return { effect: 'no-effect', observation: `${name} gone, but not at a failpoint` };
}

async function observeWaits(
  point: FailpointName,
  name: string,
  failpoints: FailpointControl,
): Promise<Observation> {
  const count = await failpoints.count(name, point);
  if (count === undefined) {
    return { effect: 'no-effect', observation: `the endpoint of ${name} does not answer` };
  }
  const effect = count > 0 ? 'observed' : 'no-effect';
  return { effect, observation: `${name} has waited ${count} times` };
}

/** Waits for it. */
function hasEnded({ cluster, clock }: NemesisContext, name: string): Promise<boolean> {
  const limits = { intervalMs: END_RETRY_MS, limitMs: END_LIMIT_MS };
  return waitUntil(clock, limits, async () => !(await cluster.isRunning(name)));
}

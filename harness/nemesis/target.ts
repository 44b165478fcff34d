/** From what the plan says about targets to nodes that exist. */
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import { drawOne } from '../draw.ts';
import { findLeader } from '../member-probe.ts';
import { sleep } from '../timing.ts';
import { LEADER, type NemesisContext, type NodeChoice } from './fault.ts';

/** A live member answers Status within this; a suspended or killed one does not. */
export const STATUS_TIMEOUT_MS = 400;

const LEADER_ATTEMPTS_MAX = 5;
const LEADER_RETRY_MS = 200;

/** A target decided: its name, and words for it that say why it was chosen. */
export interface ResolvedNode {
  readonly name: string;
  readonly words: string;
}

/**
 * The node meant by `choice`. When nobody leads for about a second, or the node was given up, the
 * first node that was not stands in, and the words say so: a plan's fault is never silently left
 * out.
 */
export async function resolveNode(
  context: NemesisContext,
  choice: NodeChoice,
): Promise<ResolvedNode> {
  const [standIn = context.cluster.nodes[0]!.name] = expectedNames(context);
  if (choice !== LEADER) {
    if (!context.givenUp.has(choice)) return { name: choice, words: choice };
    return { name: standIn, words: `${standIn} (${choice} was given up)` };
  }
  for (let attempt = 0; attempt < LEADER_ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) await sleep(context.clock, LEADER_RETRY_MS);
    const leader = await findLeader(context.probe, context.cluster.nodes, STATUS_TIMEOUT_MS);
    if (leader !== undefined) return { name: leader, words: `leader ${leader}` };
  }
  return { name: standIn, words: `${standIn} (nobody led)` };
}

/** Members that were not given up. */
export function expectedNames({ cluster, givenUp }: NemesisContext): string[] {
  return cluster.nodes.map((node) => node.name).filter((name) => !givenUp.has(name));
}

/** Those of `names`, at least one, that were not given up; if all were, one that stands in. */
export async function resolveNames(
  context: NemesisContext,
  names: readonly string[],
): Promise<readonly string[]> {
  const expected = names.filter((name) => !context.givenUp.has(name));
  if (expected.length > 0) return expected;
  return [(await resolveNode(context, names[0]!)).name];
}

/** The node of that name. */
export function nodeNamed(context: NemesisContext, name: string): ClusterNode {
  const node = context.cluster.nodes.find((candidate) => candidate.name === name);
  assert(node !== undefined, `no node ${name} in this cluster`);
  return node;
}

/**
 * Which of `names` are dead already; noted in the context as having died alone. For faults
 * that take turns with the family `process`, before they act: nothing else in the plan kills.
 */
export async function findDead(
  context: NemesisContext,
  names: readonly string[],
): Promise<string[]> {
  const running = await Promise.all(names.map((name) => context.cluster.isRunning(name)));
  const dead = names.filter((_, at) => !running[at]);
  for (const name of dead) if (!context.givenUp.has(name)) context.diedAlone.add(name);
  return dead;
}

/** Words for members that {@link findDead} found. */
export function describeDead(dead: readonly string[]): string {
  return `${dead.join(', ')} had died alone before`;
}

export async function answersStatus(context: NemesisContext, name: string): Promise<boolean> {
  const reading = await context.probe.status(nodeNamed(context, name), STATUS_TIMEOUT_MS);
  return reading !== undefined;
}

/** The leader half of the time, otherwise any one node. */
export function drawNodeChoice(nodes: readonly string[], random: Random): NodeChoice {
  return random.below(2) === 0 ? LEADER : drawOne(random, nodes);
}

/**
 * Partitions as data. A grudge says, for each node, whose messages to it are dropped; these
 * functions build grudges from node names and nothing else.
 */
import { assert } from '../../src/lib/assert.ts';
import type { Grudge } from '../cluster/cluster.ts';

/** One directed link that a grudge cuts. */
export interface CutLink {
  readonly from: string;
  readonly to: string;
}

/** Nothing is dropped: setting it heals. */
export const NO_GRUDGE: Grudge = new Map();

/** The two sides drop everything from each other. */
export function splitGrudge(left: readonly string[], right: readonly string[]): Grudge {
  assert(
    left.every((name) => !right.includes(name)),
    'the sides of a split overlap',
  );
  return grudgeOf([...pairs(left, right), ...pairs(right, left)]);
}

/** `node` and all the others drop everything from each other. */
export function isolateGrudge(nodes: readonly string[], node: string): Grudge {
  return splitGrudge([node], without(nodes, node));
}

/** Links in one direction only: everything to `node`, or everything from it, is dropped. */
export function oneWayGrudge(
  nodes: readonly string[],
  node: string,
  drops: 'incoming' | 'outgoing',
): Grudge {
  const others = without(nodes, node);
  return grudgeOf(drops === 'incoming' ? pairs(others, [node]) : pairs([node], others));
}

/**
 * Two sides that cannot hear each other, and one node in the middle that hears and is heard by
 * both. With three nodes: the two others lose each other and only the bridge sees a majority
 * that includes both.
 */
export function bridgeGrudge(nodes: readonly string[], bridge: string): Grudge {
  const others = without(nodes, bridge);
  const middle = Math.ceil(others.length / 2);
  return splitGrudge(others.slice(0, middle), others.slice(middle));
}

/**
 * Majorities ring: every node sees a majority, no two nodes see the same one. Each node keeps
 * its links to its neighbours on the ring, as many as a majority needs, and loses the rest in
 * both directions. Below four nodes a ring that cuts anything leaves someone without a majority
 * or is the bridge itself, so the bridge over the ring's first node is used.
 */
export function ringGrudge(order: readonly string[]): Grudge {
  const count = order.length;
  if (count < 4) return bridgeGrudge(order, order[0]!);
  const majority = Math.floor(count / 2) + 1;
  const reach = Math.ceil((majority - 1) / 2);
  const cut: CutLink[] = [];
  for (let at = 0; at < count; at++) {
    for (let to = 0; to < count; to++) {
      const apart = Math.abs(at - to);
      const distance = Math.min(apart, count - apart);
      if (distance > reach) cut.push({ from: order[at]!, to: order[to]! });
    }
  }
  return grudgeOf(cut);
}

/** Every link the grudge cuts. */
export function cutLinks(grudge: Grudge): CutLink[] {
  const links: CutLink[] = [];
  for (const [to, dropped] of grudge) for (const from of dropped) links.push({ from, to });
  return links;
}

function grudgeOf(links: readonly CutLink[]): Grudge {
  const grudge = new Map<string, Set<string>>();
  for (const { from, to } of links) {
    const dropped = grudge.get(to) ?? new Set<string>();
    grudge.set(to, dropped.add(from));
  }
  return grudge;
}

function pairs(from: readonly string[], to: readonly string[]): CutLink[] {
  return from.flatMap((source) => to.map((target) => ({ from: source, to: target })));
}

function without(nodes: readonly string[], node: string): string[] {
  assert(nodes.includes(node), `no such node: ${node}`);
  return nodes.filter((name) => name !== node);
}

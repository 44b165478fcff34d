/** Cut links between members; clients reach every member throughout. */
import type { Random } from '../../src/ports/random.ts';
import type { Grudge, LinkCounter } from '../cluster/cluster.ts';
import { drawBetween, drawOne, drawOrder } from '../draw.ts';
import {
  type FaultKind,
  type FaultPackage,
  LEADER,
  type NemesisContext,
  type Observation,
  type PreparedFault,
} from './fault.ts';
import {
  type CutLink,
  cutLinks,
  isolateGrudge,
  NO_GRUDGE,
  oneWayGrudge,
  ringGrudge,
  splitGrudge,
} from './grudge.ts';
import { drawNodeChoice, resolveNames, resolveNode } from './target.ts';

/** Long enough that a new leader is elected behind the cut, two election timeouts by default. */
const LASTS_PERCENT: readonly [number, number] = [55, 70];

export const PARTITION: Pick<FaultPackage<FaultKind>, 'needs' | 'family' | 'lastsPercent'> = {
  needs: 'partition',
  family: 'network',
  lastsPercent: LASTS_PERCENT,
};

export const partitionOne: FaultPackage<'partition-one'> = {
  ...PARTITION,
  kind: 'partition-one',
  plan: (nodes, random) => ({ kind: 'partition-one', node: drawOne(random, nodes) }),
  async prepare(context, spec) {
    const { name, words } = await resolveNode(context, spec.node);
    return cut(context, isolateGrudge(names(context), name), [name], `${words} | everyone else`);
  },
};

export const partitionLeader: FaultPackage<'partition-leader'> = {
  ...PARTITION,
  kind: 'partition-leader',
  plan: () => ({ kind: 'partition-leader', node: LEADER }),
  async prepare(context, spec) {
    const { name, words } = await resolveNode(context, spec.node);
    return cut(context, isolateGrudge(names(context), name), [name], `${words} | everyone else`);
  },
};

export const partitionHalves: FaultPackage<'partition-halves'> = {
  ...PARTITION,
  kind: 'partition-halves',
  plan: (nodes, random) => ({ kind: 'partition-halves', minority: drawMinority(nodes, random) }),
  async prepare(context, spec) {
    const minority = await resolveNames(context, spec.minority);
    const majority = names(context).filter((name) => !minority.includes(name));
    const words = `${minority.join(' ')} | ${majority.join(' ')}`;
    return cut(context, splitGrudge(minority, majority), minority, words);
  },
};

export const partitionOneWay: FaultPackage<'partition-one-way'> = {
  ...PARTITION,
  kind: 'partition-one-way',
  plan: (nodes, random) => ({
    kind: 'partition-one-way',
    node: drawNodeChoice(nodes, random),
    drops: drawOne(random, ['incoming', 'outgoing'] as const),
  }),
  async prepare(context, spec) {
    const { name, words } = await resolveNode(context, spec.node);
    const grudge = oneWayGrudge(names(context), name, spec.drops);
    const direction = spec.drops === 'incoming' ? `to ${words}` : `from ${words}`;
    return cut(context, grudge, [name], `messages ${direction} dropped`);
  },
};

export const partitionRing: FaultPackage<'partition-ring'> = {
  ...PARTITION,
  kind: 'partition-ring',
  plan: (nodes, random) => ({ kind: 'partition-ring', order: drawOrder(random, nodes) }),
  async prepare(context, spec) {
    if (spec.order.length >= 4) {
      const words = `majorities ring ${spec.order.join(' ')}`;
      return cut(context, ringGrudge(spec.order), spec.order, words);
    }
    const order = await leaderOffTheBridge(context, spec.order);
    return cut(context, ringGrudge(order), order, `bridge: only ${order[0]} hears everyone`);
  },
};

/** Two followers that lose each other notice nothing: one side of the bridge must lead. */
async function leaderOffTheBridge(
  context: NemesisContext,
  order: readonly string[],
): Promise<readonly string[]> {
  const { name } = await resolveNode(context, LEADER);
  return order[0] === name ? [...order.slice(1), name] : order;
}

/** A random side of fewer than half the nodes. */
function drawMinority(nodes: readonly string[], random: Random): string[] {
  const sizeMax = Math.max(1, Math.floor((nodes.length - 1) / 2));
  const size = drawBetween(random, 1, sizeMax);
  return drawOrder(random, nodes).slice(0, size).sort();
}

function names(context: NemesisContext): string[] {
  return context.cluster.nodes.map((node) => node.name);
}

/** The links of the grudge swallow what is sent on them. */
export async function cut(
  context: NemesisContext,
  grudge: Grudge,
  nodes: readonly string[],
  description: string,
): Promise<PreparedFault> {
  const { cluster } = context;
  const links = cutLinks(grudge);
  const before = await cluster.linkCounters();
  return {
    description,
    nodes,
    inject: () => cluster.setGrudge(grudge),
    observe: async () => compare(links, before, await cluster.linkCounters()),
    heal: () => cluster.setGrudge(NO_GRUDGE),
  };
}

function compare(
  links: readonly CutLink[],
  before: readonly LinkCounter[],
  after: readonly LinkCounter[],
): Observation {
  const grown = links.filter((link) => droppedOn(link, after) > droppedOn(link, before));
  const words = `${grown.length} of ${links.length} cut links swallowed messages`;
  return { effect: grown.length > 0 ? 'observed' : 'no-effect', observation: words };
}

function droppedOn(link: CutLink, counters: readonly LinkCounter[]): number {
  const found = counters.find((counter) => counter.from === link.from && counter.to === link.to);
  return found?.dropped ?? 0;
}

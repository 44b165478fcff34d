/** The connections of one member to its peers are reset, again and again. */
import { drawBetween } from '../draw.ts';
import { linksAmong } from '../network/link-settings.ts';
import type { FaultPackage } from './fault.ts';
import { RepeatedStep } from './repeated-step.ts';
import { drawNodeChoice, resolveNode } from './target.ts';

/** From more often than members dial again to once in an election timeout. */
const EVERY_MS_LEAST = 50;
const EVERY_MS_MOST = 1_000;

export const resetConnections: FaultPackage<'reset-connections'> = {
  kind: 'reset-connections',
  needs: 'connection-reset',
  family: 'network',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({
    kind: 'reset-connections',
    node: drawNodeChoice(nodes, random),
    everyMs: drawBetween(random, EVERY_MS_LEAST, EVERY_MS_MOST),
  }),
  async prepare({ cluster, clock, ...context }, spec) {
    const { name, words } = await resolveNode({ cluster, clock, ...context }, spec.node);
    const names = cluster.nodes.map((node) => node.name);
    const links = linksAmong(names).filter(({ from, to }) => from === name || to === name);
    const before = await cluster.linkTally();
    const steps = new RepeatedStep(clock, spec.everyMs, () => cluster.resetConnections(links));
    return {
      description: `connections of ${words} reset every ${spec.everyMs} ms`,
      nodes: [name],
      inject: () => steps.begin(),
      observe: async () => {
        const resets = (await cluster.linkTally()).resets - before.resets;
        const observation = `${resets} resets in ${steps.count} rounds`;
        return { effect: resets > 0 ? 'observed' : 'no-effect', observation };
      },
      heal: () => steps.end(),
    };
  },
};

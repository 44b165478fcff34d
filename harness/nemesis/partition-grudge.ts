/** Any set of directed cuts: as written down in a scenario, or drawn. */
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawOrder } from '../draw.ts';
import { linksAmong } from '../network/link-settings.ts';
import type { FaultPackage } from './fault.ts';
import { cutLinks } from './grudge.ts';
import { type GrudgeJson, parseGrudge } from './grudge-json.ts';
import { cut, PARTITION } from './partition.ts';

export const partitionGrudge: FaultPackage<'partition-grudge'> = {
  ...PARTITION,
  kind: 'partition-grudge',
  plan: (nodes, random) => ({ kind: 'partition-grudge', grudge: drawGrudge(nodes, random) }),
  async prepare(context, spec) {
    const names = context.cluster.nodes.map(({ name }) => name);
    const grudge = parseGrudge('grudge', spec.grudge, names);
    assert(grudge.ok, grudge.ok ? '' : grudge.error);
    const words = cutLinks(grudge.value).map(({ from, to }) => `${from}>${to}`);
    return cut(context, grudge.value, Object.keys(spec.grudge), `cut ${words.join(' ')}`);
  },
};

/** At least one directed link, if there is any, at most all. */
function drawGrudge(nodes: readonly string[], random: Random): GrudgeJson {
  const links = drawOrder(random, linksAmong(nodes));
  const grudge: Record<string, string[]> = {};
  const count = links.length === 0 ? 0 : 1 + random.below(links.length);
  for (const { from, to } of links.slice(0, count)) {
    grudge[to] = [...(grudge[to] ?? []), from].sort();
  }
  return grudge;
}

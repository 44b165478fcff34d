/** Which directed links a fault of links is about. */
import type { Random } from '../../src/ports/random.ts';
import { drawOne } from '../draw.ts';
import type { DirectedLink, DirectedQuality, LinkQuality } from '../network/link-quality.ts';
import { GOOD_LINKS } from '../network/link-quality.ts';
import { linksAmong } from '../network/link-settings.ts';
import { type LinkTally, tallySince } from '../network/link-tally.ts';
import {
  EVERYBODY,
  type LinkScope,
  type NemesisContext,
  type Observation,
  type PreparedFault,
} from './fault.ts';
import { drawNodeChoice, resolveNode } from './target.ts';

export interface ResolvedLinks {
  readonly links: readonly DirectedLink[];
  readonly nodes: readonly string[];
  readonly words: string;
}

/** All links half of the time, otherwise those of one node, one way or both. */
export function drawScope(nodes: readonly string[], random: Random): LinkScope {
  if (random.below(2) === 0) return { node: EVERYBODY, direction: 'both' };
  const direction = drawOne(random, ['incoming', 'outgoing', 'both'] as const);
  return { node: drawNodeChoice(nodes, random), direction };
}

export async function resolveScope(
  context: NemesisContext,
  { node, direction }: LinkScope,
): Promise<ResolvedLinks> {
  const nodes = context.cluster.nodes.map(({ name }) => name);
  const all = linksAmong(nodes);
  if (node === EVERYBODY) return { links: all, nodes, words: 'all links' };
  const { name, words } = await resolveNode(context, node);
  switch (direction) {
    case 'incoming':
      return { links: all.filter(({ to }) => to === name), nodes: [name], words: `to ${words}` };
    case 'outgoing':
      return {
        links: all.filter(({ from }) => from === name),
        nodes: [name],
        words: `from ${words}`,
      };
    case 'both': {
      const links = all.filter(({ from, to }) => from === name || to === name);
      return { links, nodes: [name], words: `to and from ${words}` };
    }
  }
}

/** The links in scope get the quality; `judge` sees what they have done to traffic since. */
export async function shapeLinks(
  context: NemesisContext,
  scope: LinkScope,
  quality: LinkQuality,
  how: { readonly words: string; readonly judge: (since: LinkTally) => Observation },
): Promise<PreparedFault> {
  const { cluster } = context;
  const { links, nodes, words } = await resolveScope(context, scope);
  const before = await cluster.linkTally();
  const except = links.map((link): DirectedQuality => ({ ...link, quality }));
  return {
    description: `${words}: ${how.words}`,
    nodes,
    inject: () => cluster.setLinkQuality(GOOD_LINKS, except),
    observe: async () => how.judge(tallySince(before, await cluster.linkTally())),
    heal: () => cluster.setLinkQuality(GOOD_LINKS),
  };
}

/** All links between members lose, repeat, delay or reorder messages, in any mixture. */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween } from '../draw.ts';
import { GOOD_LINKS, type LinkQuality } from '../network/link-quality.ts';
import type { LinkTally } from '../network/link-tally.ts';
import type { FaultPackage, FaultSpecs, Observation } from './fault.ts';

type FlakyLinks = FaultSpecs['flaky-links'];

const LOSS_PERCENT_MOST = 30;
const DUPLICATE_PERCENT_MOST = 20;
/** About half of the default election timeout: leaders are doubted, not all of them deposed. */
const DELAY_MS_MOST = 400;

export const flakyLinks: FaultPackage<'flaky-links'> = {
  kind: 'flaky-links',
  needs: 'flaky-links',
  family: 'links',
  lastsPercent: [55, 70],
  plan: (_nodes, random) => ({ kind: 'flaky-links', ...drawQuality(random) }),
  async prepare({ cluster }, spec) {
    const before = await cluster.linkTally();
    return {
      description: `messages between members: ${describe(spec)}`,
      nodes: cluster.nodes.map((node) => node.name),
      inject: () => cluster.setLinkQuality(qualityOf(spec)),
      observe: async () => judge(spec, before, await cluster.linkTally()),
      heal: () => cluster.setLinkQuality(GOOD_LINKS),
    };
  },
};

/** Up to `delayMs` late is half of it, give or take as much. */
function qualityOf(spec: FlakyLinks): LinkQuality {
  const { lossPercent, duplicatePercent, delayMs, reorders } = spec;
  const half = delayMs / 2;
  const late = { delayMs: half, jitterMs: half };
  return { ...GOOD_LINKS, lossPercent, duplicatePercent, ...late, reorders };
}

/** Order alone could not be proven: at least one of what links count is asked for. */
function drawQuality(random: Random): FlakyLinks {
  const asked = drawBetween(random, 1, 7);
  const draw = (bit: number, most: number): number =>
    (asked & bit) === 0 ? 0 : drawBetween(random, 1, most);
  return {
    lossPercent: draw(1, LOSS_PERCENT_MOST),
    duplicatePercent: draw(2, DUPLICATE_PERCENT_MOST),
    delayMs: draw(4, DELAY_MS_MOST),
    reorders: random.below(2) === 0,
  };
}

function describe({ lossPercent, duplicatePercent, delayMs, reorders }: FlakyLinks): string {
  return [
    ...(lossPercent > 0 ? [`${lossPercent} % lost`] : []),
    ...(duplicatePercent > 0 ? [`${duplicatePercent} % twice`] : []),
    ...(delayMs > 0 ? [`up to ${delayMs} ms late`] : []),
    reorders ? 'in any order' : 'in order',
  ].join(', ');
}

/** One effect proves the fault: a few per cent of few messages may be none. */
function judge(asked: FlakyLinks, before: LinkTally, after: LinkTally): Observation {
  const counts = [
    { what: 'lost', asked: asked.lossPercent, count: after.lost - before.lost },
    {
      what: 'duplicated',
      asked: asked.duplicatePercent,
      count: after.duplicated - before.duplicated,
    },
    { what: 'delayed', asked: asked.delayMs, count: after.delayed - before.delayed },
  ].filter((each) => each.asked > 0);
  const words = counts.map(({ what, count }) => `${count} ${what}`).join(', ');
  const isObserved = counts.some(({ count }) => count > 0);
  return { effect: isObserved ? 'observed' : 'no-effect', observation: `messages: ${words}` };
}

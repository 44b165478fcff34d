/** A share of what crosses these links is lost. */
import { drawBetween } from '../draw.ts';
import { GOOD_LINKS } from '../network/link-quality.ts';
import type { LinkTally } from '../network/link-tally.ts';
import type { FaultPackage, Observation } from './fault.ts';
import { drawScope, shapeLinks } from './link-scope.ts';

/** TCP still gets through, some of it a second late. */
const LOSS_PERCENT_LEAST = 5;
const LOSS_PERCENT_MOST = 30;

export const lossyLinks: FaultPackage<'lossy-links'> = {
  kind: 'lossy-links',
  needs: 'link-loss',
  family: 'links',
  lastsPercent: [55, 70],
  plan: (nodes, random) => ({
    kind: 'lossy-links',
    ...drawScope(nodes, random),
    lossPercent: drawBetween(random, LOSS_PERCENT_LEAST, LOSS_PERCENT_MOST),
  }),
  prepare(context, spec) {
    const { lossPercent } = spec;
    return shapeLinks(
      context,
      spec,
      { ...GOOD_LINKS, lossPercent },
      { words: `${lossPercent} % lost`, judge },
    );
  },
};

function judge({ carried, lost }: LinkTally): Observation {
  const share = carried === 0 ? 0 : (100 * lost) / carried;
  return {
    effect: lost > 0 ? 'observed' : 'no-effect',
    observation: `${lost} of ${carried} lost (${share.toFixed(1)} %)`,
  };
}

/** What crosses these links is late, more or less. */
import { drawBetween, drawOne } from '../draw.ts';
import { describeQuality, GOOD_LINKS } from '../network/link-quality.ts';
import type { LinkTally } from '../network/link-tally.ts';
import type { FaultPackage, Observation } from './fault.ts';
import { drawScope, shapeLinks } from './link-scope.ts';

/** A round trip stays below the default election timeout: members are far away, not gone. */
const DELAY_MS_LEAST = 20;
const DELAY_MS_MOST = 300;
/** A mean this close to the delay asked for counts as that delay. */
const EFFECT_SHARE = 0.8;

export const slowLinks: FaultPackage<'slow-links'> = {
  kind: 'slow-links',
  needs: 'link-delay',
  family: 'links',
  lastsPercent: [55, 70],
  plan: (nodes, random) => {
    const scope = drawScope(nodes, random);
    const delayMs = drawBetween(random, DELAY_MS_LEAST, DELAY_MS_MOST);
    const jitterMs = drawBetween(random, 0, Math.floor(delayMs / 2));
    const distribution = drawOne(random, ['uniform', 'normal', 'pareto'] as const);
    return { kind: 'slow-links', ...scope, delayMs, jitterMs, distribution };
  },
  prepare(context, spec) {
    const { delayMs, jitterMs, distribution } = spec;
    const quality = { ...GOOD_LINKS, delayMs, jitterMs, distribution };
    return shapeLinks(context, spec, quality, {
      words: describeQuality(quality),
      judge: (since) => judge(delayMs, since),
    });
  },
};

function judge(delayMs: number, { delayed, delayedSumMs }: LinkTally): Observation {
  if (delayed === 0) return { effect: 'no-effect', observation: 'nothing was delayed' };
  const meanMs = delayedSumMs / delayed;
  return {
    effect: meanMs >= EFFECT_SHARE * delayMs ? 'observed' : 'no-effect',
    observation: `${delayed} delayed, in the mean ${meanMs.toFixed(1)} ms`,
  };
}

/** Little fits through these links at a time. */
import { drawOne } from '../draw.ts';
import { GOOD_LINKS } from '../network/link-quality.ts';
import type { LinkTally } from '../network/link-tally.ts';
import type { FaultPackage, Observation } from './fault.ts';
import { drawScope, shapeLinks } from './link-scope.ts';

/** From a modem, on which elections queue behind the log, to about what a storm needs. */
const RATES_BYTES_PER_S = [2_000, 5_000, 10_000, 20_000, 50_000] as const;
/** Timers are late, so links that are told to be thin are rather thinner: never much wider. */
const RATE_SHARE_MOST = 1.25;

export const thinLinks: FaultPackage<'thin-links'> = {
  kind: 'thin-links',
  needs: 'link-rate',
  family: 'links',
  lastsPercent: [55, 70],
  plan: (nodes, random) => ({
    kind: 'thin-links',
    ...drawScope(nodes, random),
    rateBytesPerS: drawOne(random, RATES_BYTES_PER_S),
  }),
  prepare(context, spec) {
    const { rateBytesPerS } = spec;
    return shapeLinks(
      context,
      spec,
      { ...GOOD_LINKS, rateBytesPerS },
      {
        words: `${rateBytesPerS / 1000} kB/s`,
        judge: (since) => judge(rateBytesPerS, since),
      },
    );
  },
};

function judge(rateBytesPerS: number, { thinBytes, thinMs }: LinkTally): Observation {
  if (thinBytes === 0 || thinMs === 0) {
    return { effect: 'no-effect', observation: 'nothing waited for its turn' };
  }
  const measured = (1000 * thinBytes) / thinMs;
  return {
    effect: measured <= RATE_SHARE_MOST * rateBytesPerS ? 'observed' : 'no-effect',
    observation: `${thinBytes} bytes in ${Math.round(thinMs)} ms: ${(measured / 1000).toFixed(1)} kB/s`,
  };
}

import { describe, expect, test } from 'vitest';
import {
  type Distribution,
  drawMs,
  medianMs,
  parseDistribution,
} from '../../harness/disk/latency.ts';
import {
  LATENCY_PROFILES,
  latencyProfile,
  parseLatency,
} from '../../harness/disk/latency-profiles.ts';
import { seededRandom } from '../../harness/seeded-random.ts';

function draw(distribution: Distribution, count = 4000): number[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => drawMs(distribution, random)).sort((a, b) => a - b);
}

describe('distributions', () => {
  test.each<[Distribution, number, number]>([
    [{ type: 'constant', ms: 50 }, 50, 50],
    [{ type: 'uniform', leastMs: 10, mostMs: 30 }, 10, 30],
    [{ type: 'lognormal', medianMs: 12, sigma: 0.5, mostMs: 60 }, 0, 60],
    [{ type: 'heavy-tail', leastMs: 5, alpha: 1.1, mostMs: 900 }, 5, 900],
  ])('%o keeps its bounds and its median', (distribution, leastMs, mostMs) => {
    const drawn = draw(distribution);
    expect(drawn[0]).toBeGreaterThanOrEqual(leastMs);
    expect(drawn.at(-1)).toBeLessThanOrEqual(mostMs);
    const median = drawn[drawn.length / 2]!;
    expect(median / medianMs(distribution)).toBeGreaterThan(0.9);
    expect(median / medianMs(distribution)).toBeLessThan(1.1);
  });

  test('a tail is as heavy as it says: beyond x lies the share (least / x) ^ alpha', () => {
    const drawn = draw({ type: 'heavy-tail', leastMs: 1, alpha: 1, mostMs: 600_000 }, 20_000);
    const beyond = drawn.filter((ms) => ms > 100).length / drawn.length;
    expect(beyond).toBeGreaterThan(0.005);
    expect(beyond).toBeLessThan(0.02);
  });

  test('the same seed draws the same', () => {
    const distribution: Distribution = { type: 'lognormal', medianMs: 4, sigma: 1, mostMs: 500 };
    expect(draw(distribution, 50)).toEqual(draw(distribution, 50));
  });
});

describe('profiles', () => {
  test('all of the file are sound, by name', () => {
    expect(LATENCY_PROFILES).toContain('hdd');
    for (const name of LATENCY_PROFILES) expect(latencyProfile(name)).toBeDefined();
    expect(latencyProfile('toString')).toBeUndefined();
  });

  test.each([
    ['nothing', {}],
    ['another field', { sync: { type: 'constant', ms: 1 }, read: { type: 'constant', ms: 1 } }],
    ['no distribution', { sync: 7 }],
    ['an unknown type', { sync: { type: 'normal', ms: 1 } }],
    ['a field too many', { sync: { type: 'constant', ms: 1, mostMs: 2 } }],
    ['a field too few', { sync: { type: 'uniform', leastMs: 1 } }],
    ['a negative time', { sync: { type: 'constant', ms: -1 } }],
    ['a time beyond all bounds', { sync: { type: 'constant', ms: 1e9 } }],
    ['an endless tail', { sync: { type: 'heavy-tail', leastMs: 1, alpha: 0, mostMs: 9 } }],
  ])('a latency is refused that has %s', (_, latency) => {
    expect(parseLatency(latency)).toBeUndefined();
  });

  test('a distribution is taken as it is', () => {
    const uniform = { type: 'uniform', leastMs: 1, mostMs: 2 };
    expect(parseDistribution(uniform)).toEqual(uniform);
  });
});

/** Places and qualities as data. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runAgainCommand } from '../../harness/command-line.ts';
import {
  describeQuality,
  GOOD_LINKS,
  inSeries,
  isGood,
  type LinkQuality,
  parseQuality,
} from '../../harness/network/link-quality.ts';
import { LinkSettings } from '../../harness/network/link-settings.ts';
import { sumTallies, tallySince } from '../../harness/network/link-tally.ts';
import { describePlaces, wanProfile, wanProfiles } from '../../harness/network/wan.ts';
import { parseRunRequest } from '../../harness/options.ts';
import { describePlan, makePlan } from '../../harness/plan.ts';
import { ALL_CAPABILITIES } from '../harness/fake-cluster.ts';

describe('WAN profiles', () => {
  test.each(Object.entries(wanProfiles()))(
    '%s is a symmetric matrix of its places',
    (_, profile) => {
      const { places, rttMs, jitterPercent, about } = profile;
      expect(about).not.toBe('');
      expect(new Set(places).size).toBe(places.length);
      expect(rttMs).toHaveLength(places.length);
      expect(jitterPercent).toBeGreaterThan(0);
      for (const [row, times] of rttMs.entries()) {
        expect(times).toHaveLength(places.length);
        for (const [column, time] of times.entries()) {
          expect(time).toBeGreaterThan(0);
          expect(time).toBe(rttMs[column]![row]);
          if (row !== column) expect(time).toBeGreaterThan(rttMs[row]![row]!);
          // The way over a third place may be a little shorter than the direct one, not much.
          for (let by = 0; by < places.length; by++) {
            expect(time).toBeLessThanOrEqual(1.25 * (times[by]! + rttMs[by]![column]!));
          }
        }
      }
    },
  );

  test('deal members to places in turn, half a round trip each way', () => {
    const links = wanProfile('three-regions', ['n1', 'n2', 'n3', 'n4']);
    const delayOf = (from: string, to: string): number | undefined =>
      links.ok
        ? links.value.find((link) => link.from === from && link.to === to)?.quality.delayMs
        : undefined;
    expect(links.ok && links.value).toHaveLength(12);
    expect(delayOf('n1', 'n2')).toBe(32.5);
    expect(delayOf('n2', 'n1')).toBe(32.5);
    expect(delayOf('n1', 'n4')).toBe(0.25);
    expect(describePlaces('three-regions', ['n1', 'n4'])).toBe('n1 us-east, n4 us-west');
  });

  test('are known by name only', () => {
    expect(wanProfile('moon', ['n1'])).toEqual({
      ok: false,
      error: 'moon: unknown; use one-region, three-regions, world-wide',
    });
    expect(wanProfile('toString', ['n1']).ok).toBe(false);
  });
});

describe('--wan', () => {
  const raw = { seed: '1', target: `etcd:${process.execPath}` };

  test('is part of the plan, of its description and of the command that runs it again', () => {
    const { options } = parseRunRequest({ ...raw, wan: 'three-regions' }, () => 0);
    const plan = makePlan(options, 'process', ALL_CAPABILITIES);
    expect(plan.wan).toBe('three-regions');
    expect(describePlan(plan)).toContain('three-regions: n1 us-east, n2 us-west, n3 eu-west');
    expect(runAgainCommand(plan)).toContain(' --wan three-regions');
  });

  test('left out leaves no trace, and a wrong name is answered with the right ones', () => {
    const { options } = parseRunRequest(raw, () => 0);
    expect(Object.hasOwn(options, 'wan')).toBe(false);
    expect(() => parseRunRequest({ ...raw, wan: 'moon' }, () => 0)).toThrow(
      '--wan moon: unknown; use one-region, three-regions, world-wide',
    );
  });
});

describe('link qualities', () => {
  const slow: LinkQuality = { ...GOOD_LINKS, delayMs: 40, jitterMs: 3, distribution: 'normal' };
  const bad: LinkQuality = { ...GOOD_LINKS, delayMs: 10, jitterMs: 4, lossPercent: 10 };

  test('add up in series', () => {
    const thin = { ...slow, rateBytesPerS: 1_000, lossPercent: 10 };
    expect(inSeries(thin, { ...bad, rateBytesPerS: 50 })).toEqual({
      ...GOOD_LINKS,
      delayMs: 50,
      jitterMs: 5,
      distribution: 'uniform',
      lossPercent: 19,
      rateBytesPerS: 50,
    });
    expect(inSeries(thin, bad).rateBytesPerS).toBe(1_000);
    expect(inSeries(GOOD_LINKS, bad)).toBe(bad);
  });

  test('of a fault come on top of the distance, and heal back to it', () => {
    const settings = new LinkSettings();
    settings.setDistances([{ from: 'a', to: 'b', quality: slow }]);
    expect(settings.among(['a', 'b', 'c'])).toEqual([{ from: 'a', to: 'b', quality: slow }]);
    settings.setFault(GOOD_LINKS, [{ from: 'a', to: 'b', quality: bad }]);
    expect(settings.of('a', 'b').delayMs).toBe(50);
    expect(settings.of('b', 'a')).toBe(GOOD_LINKS);
    settings.setFault(bad, [{ from: 'c', to: 'a', quality: GOOD_LINKS }]);
    expect(settings.of('a', 'b').delayMs).toBe(50);
    expect(settings.of('b', 'a')).toBe(bad);
    expect(isGood(settings.of('c', 'a'))).toBe(true);
    settings.setFault(GOOD_LINKS);
    expect(settings.of('a', 'b')).toBe(slow);
  });

  test('are described in words', () => {
    expect(describeQuality(GOOD_LINKS)).toBe('good');
    expect(
      describeQuality({ ...bad, duplicatePercent: 2, reorders: true, rateBytesPerS: 500 }),
    ).toBe('10 ms ± 4 ms (uniform) late, 10 % lost, 2 % twice, in any order, 0.5 kB/s');
  });

  test('are read from JSON, and every wrong field is named with what may stand there', () => {
    expect(parseQuality('links', { delayMs: 5 })).toEqual({
      ok: true,
      value: { ...GOOD_LINKS, delayMs: 5 },
    });
    const errorOf = (value: unknown): string => {
      const parsed = parseQuality('links', value);
      return parsed.ok ? '' : parsed.error;
    };
    expect(errorOf(7)).toMatch(/^links: give an object of lossPercent, /);
    expect(errorOf({ lossPercent: 101 })).toBe(
      'links.lossPercent: 101: give a number from 0 to 100',
    );
    expect(errorOf({ delayMs: '5' })).toBe('links.delayMs: "5": give a number from 0 to 60000');
    expect(errorOf({ reorders: 1 })).toBe('links.reorders: 1: give true or false');
    expect(errorOf({ distribution: 'even' })).toBe(
      'links.distribution: "even": give one of uniform, normal, pareto',
    );
    expect(errorOf({ loss: 3 })).toMatch(/^links.loss: 3: unknown; use lossPercent, /);
  });

  test('of whatever JSON are refused or complete', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseQuality('links', value);
        if (parsed.ok) expect(Object.keys(parsed.value)).toEqual(Object.keys(GOOD_LINKS));
        else expect(parsed.error).not.toContain('\n');
      }),
    );
  });

  test('tallies add up, and what came since is the difference', () => {
    const first = sumTallies([
      { lost: 1, carried: 2 },
      { lost: 3, thinMs: 4 },
    ]);
    expect(first).toMatchObject({ lost: 4, carried: 2, thinMs: 4, resets: 0 });
    expect(tallySince({ ...first, lost: 1 }, first)).toMatchObject({ lost: 3, carried: 0 });
  });
});

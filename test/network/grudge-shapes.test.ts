/** The shapes of partitions by name. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutLinks } from '../../harness/nemesis/grudge.ts';
import {
  GRUDGE_SHAPES,
  parseGrudgeShape,
  shapedGrudge,
} from '../../harness/nemesis/grudge-shapes.ts';
import { nodeNames } from '../../harness/plan.ts';

const linksOf = (...shaped: Parameters<typeof shapedGrudge>): string[] =>
  cutLinks(shapedGrudge(...shaped))
    .map(({ from, to }) => `${from}>${to}`)
    .sort();

test('the first of the order plays the lonely part', () => {
  const order = ['n2', 'n1', 'n3'];
  const alone = ['n1>n2', 'n2>n1', 'n2>n3', 'n3>n2'];
  expect(linksOf('one', order)).toEqual(alone);
  expect(linksOf('halves', order)).toEqual(alone);
  expect(linksOf('minority-third', order)).toEqual(alone);
  expect(linksOf('bridge', order)).toEqual(['n1>n3', 'n3>n1']);
  expect(linksOf('deaf', order)).toEqual(['n1>n2', 'n3>n2']);
  expect(linksOf('mute', order)).toEqual(['n2>n1', 'n2>n3']);
});

test('of seven, two or three are apart', () => {
  const order = nodeNames(7);
  expect(linksOf('minority-third', order)).toHaveLength(2 * 2 * 5);
  expect(linksOf('halves', order)).toHaveLength(2 * 3 * 4);
});

test('every shape cuts something, of any cluster that can be cut, and never a link to itself', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...GRUDGE_SHAPES),
      fc.integer({ min: 3, max: 9 }),
      (shape, count) => {
        const cut = cutLinks(shapedGrudge(shape, nodeNames(count)));
        expect(cut.length).toBeGreaterThan(0);
        expect(cut.every(({ from, to }) => from !== to)).toBe(true);
        expect(cut.length).toBeLessThan(count * (count - 1));
      },
    ),
  );
});

test('an unknown shape is answered with those there are', () => {
  expect(parseGrudgeShape('shape', 'bridge')).toEqual({ ok: true, value: 'bridge' });
  expect(parseGrudgeShape('shape', 'star')).toEqual({
    ok: false,
    error:
      'shape: star: unknown shape; use one, halves, minority-third, majorities-ring, bridge, deaf, mute',
  });
});

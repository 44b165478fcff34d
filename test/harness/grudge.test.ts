import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Grudge } from '../../harness/cluster/cluster.ts';
import {
  bridgeGrudge,
  cutLinks,
  isolateGrudge,
  NO_GRUDGE,
  oneWayGrudge,
  ringGrudge,
  splitGrudge,
} from '../../harness/nemesis/grudge.ts';
import { nodeNames } from '../../harness/plan.ts';

function links(grudge: Grudge): string[] {
  return cutLinks(grudge)
    .map(({ from, to }) => `${from}>${to}`)
    .sort();
}

describe('grudges', () => {
  test('no grudge cuts nothing', () => {
    expect(links(NO_GRUDGE)).toEqual([]);
  });

  test('isolating cuts both directions of one node only', () => {
    expect(links(isolateGrudge(['n1', 'n2', 'n3'], 'n2'))).toEqual([
      'n1>n2',
      'n2>n1',
      'n2>n3',
      'n3>n2',
    ]);
  });

  test('a split leaves each side whole', () => {
    const grudge = splitGrudge(['n1', 'n2'], ['n3', 'n4', 'n5']);
    expect(links(grudge)).toHaveLength(12);
    expect(links(grudge)).not.toContain('n1>n2');
    expect(links(grudge)).not.toContain('n4>n5');
  });

  test('one way cuts one direction', () => {
    const nodes = ['n1', 'n2', 'n3'];
    expect(links(oneWayGrudge(nodes, 'n1', 'incoming'))).toEqual(['n2>n1', 'n3>n1']);
    expect(links(oneWayGrudge(nodes, 'n1', 'outgoing'))).toEqual(['n1>n2', 'n1>n3']);
  });

  test('a bridge hears everyone, the sides do not hear each other', () => {
    const grudge = bridgeGrudge(['n1', 'n2', 'n3', 'n4', 'n5'], 'n3');
    expect(links(grudge).filter((link) => link.includes('n3'))).toEqual([]);
    expect(links(grudge)).toHaveLength(8);
  });

  test('a ring of three is the bridge over its first node', () => {
    expect(links(ringGrudge(['n2', 'n1', 'n3']))).toEqual(['n1>n3', 'n3>n1']);
  });

  test('in a ring every node sees a majority, no two the same, in both directions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 9 }), (count) => {
        const nodes = nodeNames(count);
        const cut = new Set(links(ringGrudge(nodes)));
        expect(cut.size).toBeGreaterThan(0);
        const views = nodes.map((node) =>
          nodes.filter((other) => other === node || !cut.has(`${other}>${node}`)).join(' '),
        );
        for (const view of views) {
          expect(view.split(' ').length).toBeGreaterThan(count / 2);
        }
        expect(new Set(views).size).toBe(count);
        for (const link of cut) expect(cut).toContain(link.split('>').reverse().join('>'));
      }),
      { seed: 1, numRuns: 30 },
    );
  });
});

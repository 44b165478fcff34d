/** The faults of links and cables against a fake cluster: what they do, and what they say of it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { parseGrudge } from '../../harness/nemesis/grudge-json.ts';
import {
  DEFAULT_FAULT_KINDS,
  FAULT_PACKAGES,
  SIM_FAULT_KINDS,
} from '../../harness/nemesis/packages.ts';
import { nodeNames } from '../../harness/plan.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { FakeCluster, type FakeFlaws } from '../harness/fake-cluster.ts';
import { inTurn, run } from '../harness/nemesis-lab.ts';

const SLOW: FaultSpec = {
  kind: 'slow-links',
  node: 'n1',
  direction: 'incoming',
  delayMs: 100,
  jitterMs: 10,
  distribution: 'normal',
};
const LOSSY: FaultSpec = { kind: 'lossy-links', node: 'all', direction: 'both', lossPercent: 20 };
const THIN: FaultSpec = {
  kind: 'thin-links',
  node: 'leader',
  direction: 'outgoing',
  rateBytesPerS: 5_000,
};
const RESET: FaultSpec = { kind: 'reset-connections', node: 'n3', everyMs: 200 };
const PULL: FaultSpec = { kind: 'cable-pull', node: 'leader' };
const GRUDGE: FaultSpec = { kind: 'partition-grudge', grudge: { n1: ['n2', 'n3'], n3: ['n2'] } };

const NEW_KINDS = [SLOW, LOSSY, THIN, RESET, PULL, GRUDGE].map(({ kind }) => kind);

async function runOne(
  spec: FaultSpec,
  flaws: FakeFlaws = {},
): Promise<{ readonly record: Record<string, unknown>; readonly cluster: FakeCluster }> {
  const { records, cluster } = await run(inTurn([spec]), { flaws });
  return { record: { ...records[0]! }, cluster };
}

describe('faults of links', () => {
  test.each([
    [SLOW, 'to n1: 100 ms ± 10 ms (normal) late', /^\d+ delayed, in the mean 100.0 ms$/],
    [LOSSY, 'all links: 20 % lost', /^\d+ of \d+ lost \(10.0 %\)$/],
    [THIN, 'from leader n2: 5 kB/s', /^\d+ bytes in \d+ ms: 5.0 kB\/s$/],
    [RESET, 'connections of n3 reset every 200 ms', /^\d resets in \d rounds$/],
    [PULL, 'cable of leader n2 pulled', /^n2 answered Status before, and is gone$/],
    [GRUDGE, 'cut n2>n1 n3>n1 n2>n3', /^3 of 3 cut links swallowed messages$/],
  ])('$0.kind is observed, described and healed', async (spec, description, observation) => {
    const { record, cluster } = await runOne(spec);
    expect(record).toMatchObject({ effect: 'observed', description });
    expect(record.observation).toMatch(observation);
    expect(cluster.isWhole).toBe(true);
  });

  test.each([
    [SLOW, { flakyLinksDoNothing: true }, 'nothing was delayed'],
    [LOSSY, { flakyLinksDoNothing: true }, '0 of 0 lost (0.0 %)'],
    [THIN, { flakyLinksDoNothing: true }, 'nothing waited for its turn'],
    [RESET, { resetsDoNothing: true }, '0 resets in 3 rounds'],
    [PULL, { pullDoesNothing: true }, 'links of n2 swallowed 0; it answers Status'],
    [GRUDGE, { grudgeDoesNothing: true }, '0 of 3 cut links swallowed messages'],
  ])('$0.kind without effect says so', async (spec, flaws, observation) => {
    const { record, cluster } = await runOne(spec, flaws);
    expect(record).toMatchObject({ effect: 'no-effect', observation });
    expect(cluster.isWhole).toBe(true);
  });

  test('only the links in scope are touched', async () => {
    const cluster = new FakeCluster();
    const set: string[][] = [];
    const original = cluster.setLinkQuality.bind(cluster);
    cluster.setLinkQuality = async (quality, except = []) => {
      set.push(except.map(({ from, to }) => `${from}>${to}`));
      await original(quality, except);
    };
    await run(inTurn([SLOW, { ...SLOW, direction: 'both' }, THIN]), { cluster });
    expect(set).toEqual([
      ['n2>n1', 'n3>n1'],
      [],
      ['n1>n2', 'n1>n3', 'n2>n1', 'n3>n1'],
      [],
      ['n2>n1', 'n2>n3'],
      [],
    ]);
  });

  test('resets go on while the fault is in place, and end with it', async () => {
    const { cluster } = await runOne(RESET);
    const resets = cluster.calls.filter((call) => call === 'reset 4 links').length;
    expect(resets).toBeGreaterThanOrEqual(5);
    expect(resets).toBeLessThanOrEqual(6);
  });

  test('are asked for by name: seeds mean what they meant', () => {
    for (const kind of NEW_KINDS) {
      expect(DEFAULT_FAULT_KINDS).not.toContain(kind);
      expect(SIM_FAULT_KINDS).not.toContain(kind);
    }
  });

  test('every one is drawn within its limits', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 9 }), (seed, count) => {
        const nodes = nodeNames(count);
        const random = seededRandom(seed);
        const slow = FAULT_PACKAGES['slow-links'].plan(nodes, random);
        expect(slow.delayMs).toBeGreaterThanOrEqual(20);
        expect(slow.delayMs + slow.jitterMs).toBeLessThanOrEqual(450);
        expect(['all', 'leader', ...nodes]).toContain(slow.node);
        const lossy = FAULT_PACKAGES['lossy-links'].plan(nodes, random);
        expect(lossy.lossPercent).toBeGreaterThanOrEqual(5);
        expect(lossy.lossPercent).toBeLessThanOrEqual(30);
        expect(FAULT_PACKAGES['thin-links'].plan(nodes, random).rateBytesPerS).toBeGreaterThan(0);
        const { everyMs } = FAULT_PACKAGES['reset-connections'].plan(nodes, random);
        expect(everyMs).toBeGreaterThanOrEqual(50);
        const { grudge } = FAULT_PACKAGES['partition-grudge'].plan(nodes, random);
        expect(parseGrudge('grudge', grudge, nodes).ok).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a grudge as people write it', () => {
  const members = ['n1', 'n2', 'n3'];

  test('is whose messages are dropped where', () => {
    const grudge = parseGrudge('grudge', { n1: ['n2', 'n3'], n2: [] }, members);
    expect(grudge).toEqual({ ok: true, value: new Map([['n1', new Set(['n2', 'n3'])]]) });
  });

  test.each([
    ['{"n9":["n1"]}', 'grudge.n9: unknown member; use n1, n2, n3'],
    ['{"n1":["n2","n7"]}', 'grudge.n1[1]: "n7": unknown member; use n1, n2, n3'],
    ['{"n1":[3]}', 'grudge.n1[0]: 3: unknown member; use n1, n2, n3'],
    ['{"n1":"n2"}', 'grudge.n1: give a list of members; use n1, n2, n3'],
    ['{"n1":["n1"]}', 'grudge.n1[0]: "n1": a member always hears itself; leave it out'],
    ['["n1"]', 'grudge: give an object from members to lists of members; use n1, n2, n3'],
    ['{}', 'grudge: cuts nothing; name at least one link'],
  ])('%s: %s', (text, error) => {
    expect(parseGrudge('grudge', JSON.parse(text), members)).toEqual({ ok: false, error });
  });

  test('of a member alone may cut nothing', () => {
    expect(parseGrudge('grudge', {}, ['n1'])).toEqual({ ok: true, value: new Map() });
  });
});

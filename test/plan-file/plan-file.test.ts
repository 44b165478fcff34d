/** Storms composed by hand: what a plan file means, and what is said of one that is wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { makePlan, nodeNames } from '../../harness/plan.ts';
import { fillIn, shapeOf } from '../../harness/plan-file/parameters.ts';
import { readRunRequest, requestOf } from '../../harness/plan-file/plan-file.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { ALL_CAPABILITIES } from '../harness/fake-cluster.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/examples');

const read = (text: string, raw = {}) => requestOf('storm.yaml', text, raw, () => 99);

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    const { name, message } = error as Error;
    expect(name).toBe('StormError');
    expect(message).not.toContain('\n');
    return message;
  }
  return 'taken';
}

const schedule = (...lines: string[]): string =>
  `members: 3\ntime-limit: 10\nschedule:\n${lines.map((line) => `  - {${line}}\n`).join('')}`;

describe('a plan file', () => {
  const examples = readdirSync(EXAMPLES).filter((name) =>
    /^schedule:/m.test(readFileSync(join(EXAMPLES, name), 'utf8')),
  );

  test('in the documentation there are examples', () => {
    expect(examples).toContain('two-faults-at-once.yaml');
  });

  test.each(examples)('docs/examples/%s is taken', (name) => {
    const path = join(EXAMPLES, name);
    const { options, schedule: faults, planFile } = readRunRequest({ plan: path }, () => 1);
    expect(faults?.length).toBeGreaterThan(1);
    expect(planFile).toBe(path);
    const plan = makePlan(options, 'process', ALL_CAPABILITIES, { schedule: faults ?? [] });
    expect(plan.schedule).toEqual(faults);
  });

  test('says what happens when, in order; what it leaves open follows from the seed', () => {
    const text = schedule(
      'at: 4, for: 1, fault: slow-links, node: n2, delayMs: 50',
      'at: 1.5, for: 2, fault: kill, node: leader',
      'at: 2, fault: partition-grudge, grudge: {n1: [n2, n3]}',
    );
    const { options, schedule: faults } = read(text, { seed: '5' });
    expect(options).toMatchObject({ seed: 5, memberCount: 3, timeLimitMs: 10_000 });
    expect(options.faults).toEqual(['slow-links', 'kill', 'partition-grudge']);
    expect(faults).toMatchObject([
      { id: 1, startMs: 1500, durationMs: 2000, spec: { kind: 'kill', node: 'leader' } },
      { id: 2, startMs: 2000, spec: { grudge: { n1: ['n2', 'n3'] } } },
      { id: 3, startMs: 4000, durationMs: 1000, spec: { node: 'n2', delayMs: 50 } },
    ]);
    const [, cut, slow] = faults!;
    expect(cut!.durationMs).toBeGreaterThan(500);
    expect(slow!.spec).toHaveProperty('distribution');
    expect((slow!.spec as { jitterMs: number }).jitterMs).toBeLessThanOrEqual(25);
    expect(read(text, { seed: '5' }).schedule).toEqual(faults);
    const others = [1, 2, 3, 4].map((seed) => read(text, { seed: String(seed) }).schedule);
    expect(new Set(others.map((each) => JSON.stringify(each))).size).toBeGreaterThan(1);
  });

  test('gives way to the command line', () => {
    const text = `seed: 1\nrate: 50\n${schedule('at: 1, for: 1, fault: kill')}`;
    expect(read(text).options).toMatchObject({ seed: 1, ratePerSecond: 50 });
    expect(read(text, { seed: '2' }).options).toMatchObject({ seed: 2, ratePerSecond: 50 });
    expect(() => readRunRequest({ plan: 'x', faults: 'kill' }, () => 1)).toThrow(
      /--faults: not with --plan/,
    );
  });

  test.each<[string, string, RegExp]>([
    ['no YAML', 'a: [', /^storm\.yaml: .*; give YAML or JSON$/],
    ['nothing', '', /^storm\.yaml: no fields; use seed, members/],
    ['a typo', 'sede: 1', /^storm\.yaml: sede: unknown field; use seed, members, .*schedule$/],
    ['too many members', 'members: 12', /^storm\.yaml: members: 12: give a whole number from 1/],
    ['a list for a number', 'members: [3]', /^storm\.yaml: members: \[3\]: give a number/],
    [
      'timings that do not fit',
      'election-timeout: 200',
      /^storm\.yaml: election-timeout 200 is below 5 x heartbeat-interval 100; give at least 500$/,
    ],
    ['no schedule', 'members: 3', /^storm\.yaml: schedule: give a list of 1 to/],
    ['an entry that is none', 'schedule: [kill]', /schedule\[0\]: "kill": give at, for and fault/],
    ['no fault', 'schedule: [{at: 1}]', /schedule\[0\]\.fault: missing; use kill, kill-all/],
    [
      'an unknown fault',
      schedule('at: 1, fault: kil'),
      /schedule\[0\]\.fault: "kil": unknown fault; use kill, kill-all, pause/,
    ],
    [
      'a typo in a parameter',
      schedule('at: 1, fault: kill, nod: n1'),
      /schedule\[0\]\.nod: unknown field of kill; use at, for, fault, node$/,
    ],
    [
      'an unknown member',
      schedule('at: 1, for: 1, fault: kill, node: n1', 'at: 3, for: 1, fault: pause, node: n9'),
      /schedule\[1\]\.node: "n9": unknown member; use n1, n2, n3, leader$/,
    ],
    [
      'an unknown member of a grudge',
      schedule('at: 1, fault: partition-grudge, grudge: {n1: [n2, n7]}'),
      /schedule\[0\]\.grudge\.n1\[1\]: "n7": unknown member; use n1, n2, n3$/,
    ],
    [
      'an unknown member that has a grudge',
      schedule('at: 1, fault: partition-grudge, grudge: {n7: [n1]}'),
      /schedule\[0\]\.grudge\.n7: unknown member; use n1, n2, n3$/,
    ],
    [
      'members given twice',
      schedule('at: 1, fault: slow-disk, nodes: [n1, n1]'),
      /schedule\[0\]\.nodes\[1\]: "n1": given twice/,
    ],
    [
      'an order without all',
      schedule('at: 1, fault: partition-ring, order: [n1, n2]'),
      /schedule\[0\]\.order: 2 members: give a list of 3 of n1, n2, n3/,
    ],
    [
      'a number out of bounds',
      schedule('at: 1, fault: lossy-links, lossPercent: 120'),
      /schedule\[0\]\.lossPercent: 120: give a whole number from 1 to 100/,
    ],
    [
      'an interval of nothing',
      schedule('at: 1, fault: reset-connections, everyMs: 0'),
      /schedule\[0\]\.everyMs: 0: give a whole number from 1 to/,
    ],
    [
      'an unknown word',
      schedule('at: 1, fault: disk-error, code: EPERM'),
      /schedule\[0\]\.code: "EPERM": unknown; use EIO, ENOSPC$/,
    ],
    [
      'words that do not go together',
      schedule('at: 1, fault: disk-error, operation: sync, code: ENOSPC'),
      /schedule\[0\]\.code: ENOSPC: not with operation: sync; use EIO$/,
    ],
    [
      'a fault after the end',
      schedule('at: 11, for: 1, fault: kill'),
      /schedule\[0\]\.at: 11: give seconds from 0 to below 10/,
    ],
    [
      'a fault that ends after the end',
      schedule('at: 9, for: 2, fault: kill'),
      /schedule\[0\]\.for: 2: ends at 11 s, after the storm of 10 s; .*raise time-limit$/,
    ],
    [
      'no length',
      schedule('at: 1, for: 0, fault: kill'),
      /schedule\[0\]\.for: 0: give seconds, at least 0\.05/,
    ],
    [
      'faults of one family that overlap',
      schedule('at: 1, for: 3, fault: kill', 'at: 2, for: 1, fault: pause'),
      /schedule\[1\]\.at: 2: pause overlaps .*schedule\[0\] \(kill, 1 to 4 s\) .*family, process; begin/,
    ],
    [
      'too few members',
      'members: 2\nschedule: [{at: 1, fault: partition-ring}]',
      /schedule\[0\]\.fault: partition-ring: needs members: 3 or more; there are 2/,
    ],
    [
      'a required fault that is not there',
      `require: pause\n${schedule('at: 1, fault: kill')}`,
      /^storm\.yaml: require: "pause": not in the schedule; use kill$/,
    ],
  ])('%s is told in one line', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });
});

describe('the parameters of a fault', () => {
  const members = nodeNames(5);

  test.each(FAULT_KINDS)('%s: what its package draws is what may be written', (kind) => {
    const shape = shapeOf(kind, members);
    for (let seed = 1; seed <= 5; seed++) {
      const { kind: drawnKind, ...spec } = fillIn(shape, {}, seededRandom(seed));
      expect(drawnKind).toBe(kind);
      const given = Object.entries(spec).filter(([name]) => shape.parameters.has(name));
      const words = given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
      const text = ['at: 1', 'for: 1', `fault: ${kind}`, ...words].join(', ');
      const file = `members: 5\nseed: 3\nschedule: [{${text}}]`;
      expect(read(file).schedule![0]!.spec).toMatchObject(Object.fromEntries(given));
    }
  });
});

/** Matrix files: what they mean, and what is said of those that mean nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellsOfShard, expandMatrix } from '../../harness/campaign/cell.ts';
import {
  AXES,
  type Axis,
  cellCount,
  isMatrix,
  type Matrix,
} from '../../harness/campaign/matrix.ts';
import { parseMatrix, readMatrixFile } from '../../harness/campaign/matrix-file.ts';
import { campaignRequest } from '../../harness/cli/campaign.ts';
import { StormError } from '../../harness/exit-code.ts';
import { DEFAULT_FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { parseRunRequest, RUN_DEFAULTS } from '../../harness/options.ts';

function matrixOf(text: string): Matrix {
  return parseMatrix('night.yaml', text).matrix;
}

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(StormError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('a matrix file', () => {
  test('is YAML, and every choice is a cell', () => {
    const matrix = matrixOf(`
      targets: [stormraft, etcd:/bin/sh]
      members: [3, 5]
      faults:
        - kill            # one kind
        - [pause, slow-disk]
        - none
      seeds: [1..3, 7]
      durations: 20
      require: [slow-disk]
    `);
    const cells = expandMatrix(matrix);
    expect(cells).toHaveLength(2 * 2 * 3 * 4);
    expect(cells[0]!.options).toEqual({
      ...{ target: 'stormraft', members: '3', faults: 'kill', seed: '1', timeLimit: '20' },
      ...{ cluster: 'auto', concurrency: '10', rate: '400' },
      ...{ heartbeatInterval: '100', electionTimeout: '1000' },
    });
    const requests = cells.map(({ options }) => parseRunRequest(options, () => 0));
    const faults = new Set(requests.map(({ options }) => options.faults.join(' ')));
    expect([...faults]).toEqual(['kill', 'pause slow-disk', '']);
    for (const { options } of requests) {
      const isRequired = options.faults.includes('slow-disk');
      expect(options.requiredFaults).toEqual(isRequired ? ['slow-disk'] : []);
    }
  });

  test('is JSON as well, and seeds are all it needs', () => {
    const cells = expandMatrix(matrixOf('{"seeds": "5..6"}'));
    expect(cells.map(({ options }) => options.seed)).toEqual(['5', '6']);
    expect(cells[0]!.options.faults).toBe(DEFAULT_FAULT_KINDS.join(','));
    expect(cells[0]!.options.timeLimit).toBe(String(RUN_DEFAULTS.timeLimitSeconds));
  });

  test('with hosts is for docker, and a server for our own members only', () => {
    const file = parseMatrix(
      'night.yaml',
      `{seeds: 1, hosts: ['unix:///a.sock', 'tcp://127.0.0.1:2375'], wan: [none, three-regions],
        server: ., targets: [stormraft, 'etcd:/bin/sh']}`,
    );
    expect(file.hosts.map(({ address }) => address)).toEqual([
      'unix:///a.sock',
      'tcp://127.0.0.1:2375',
    ]);
    const options = expandMatrix(file.matrix).map((cell) => cell.options);
    expect(options.map(({ cluster }) => cluster)).toEqual(Array(4).fill('docker'));
    expect(options.map(({ server }) => server)).toEqual(['.', '.', undefined, undefined]);
    expect(options.map(({ wan }) => wan)).toEqual([
      ...[undefined, 'three-regions', undefined, 'three-regions'],
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['no YAML', 'seeds: [1', /^night\.yaml: .*; give YAML or JSON$/],
    ['a key twice', 'seeds: 1\nseeds: 2', /^night\.yaml: Map keys must be unique.*; give YAML/],
    ['an alias of nothing', 'seeds: *far', /^night\.yaml: .*far.*; give YAML/],
    ['nothing', '', /^night\.yaml: no fields; use targets, members, faults/],
    ['a typo', 'seed: 1', /^night\.yaml: seed: unknown field; use targets, .*seeds, durations/],
    ['no seeds', 'members: 3', /^night\.yaml: seeds: missing; give .* 1\.\.20$/],
    ['an empty list', '{seeds: []}', /^night\.yaml: seeds: an empty list; give at least one/],
    ['a seed of words', 'seeds: many', /^night\.yaml: seeds: "many": give whole numbers, or ra/],
    ['a broken seed', 'seeds: 1.5', /^night\.yaml: seeds: 1\.5: give whole numbers/],
    ['a range backwards', 'seeds: 9..2', /^night\.yaml: seeds: 9\.\.2: give the smaller number f/],
    ['a seed too large', 'seeds: [4294967296]', /^night\.yaml: seeds: 4294967296: .* to 429496/],
    ['too many seeds', 'seeds: 1..100001', /^night\.yaml: seeds: too many values; .* 100000$/],
    ['a seed twice', 'seeds: [1..3, 2]', /^night\.yaml: seeds: 2: given twice; leave one out$/],
    ['too many members', '{seeds: 1, members: [3, 10]}', /^night\.yaml: members: 10: .* 1 to 9$/],
    ['an unknown fault', '{seeds: 1, faults: [[kil]]}', /yaml: faults: kil: unknown fault; use k/],
    ['a fault of numbers', '{seeds: 1, faults: [[3]]}', /^night\.yaml: faults: 3: give a text$/],
    ['an unknown target', '{seeds: 1, targets: db}', /yaml: targets: db: unknown; use stormraft, /],
    ['no etcd there', '{seeds: 1, targets: [etcd:/nope]}', /targets: etcd:\/nope: no executable/],
    ['an unknown backend', '{seeds: 1, cluster: k8s}', /yaml: cluster: k8s: unknown; use docker, /],
    ['too short', '{seeds: 1, durations: 4}', /^night\.yaml: durations: 4: .* from 5 to 86400$/],
    [
      'an unknown disk',
      '{seeds: 1, disk: tape}',
      /^night\.yaml: disk: tape: unknown; use nvme, ssd/,
    ],
    ['neither on nor off', '{seeds: 1, tls: maybe}', /^night\.yaml: tls: maybe: use off or on$/],
    ['an unknown distance', '{seeds: 1, wan: mars}', /^night\.yaml: wan: .*mars/],
    [
      'no server there',
      '{seeds: 1, server: /nope}',
      /yaml: server: \/nope: no src\/main\.ts there/,
    ],
    [
      'a required fault of no cell',
      '{seeds: 1, faults: kill, require: pause}',
      /^night\.yaml: require: pause: in no list of faults; use one of kill$/,
    ],
    [
      'times that do not fit each other',
      '{seeds: 1, heartbeat-interval: [100, 300]}',
      /^night\.yaml: election-timeout 1000 is below 5 x heartbeat-interval 300; give .* 1500$/,
    ],
    [
      'a simulated etcd',
      '{seeds: 1, cluster: sim, targets: [stormraft, etcd:/bin/sh]}',
      /^night\.yaml: targets: etcd:\/bin\/sh: not for cluster sim/,
    ],
    ['too many cells', '{seeds: 1..50000, members: [1, 3, 5]}', /yaml: 150000 cells; .* 100000$/],
    [
      'hosts without containers',
      '{seeds: 1, cluster: process, hosts: unix:///a}',
      /^night\.yaml: hosts: only for cluster docker; leave one/,
    ],
    ['a host of another kind', '{seeds: 1, hosts: [far]}', /hosts: far: unknown; give unix:/],
    [
      'a host that would be an option of ssh',
      '{seeds: 1, hosts: "ssh://-oProxyCommand=x"}',
      /hosts: ssh:\/\/-oProxyCommand=x: unknown; give unix:/,
    ],
    [
      'an unknown context',
      '{seeds: 1, hosts: "context:no such"}',
      /hosts: context:no such: docker/,
    ],
  ])('with %s is refused in one line', (_, text, message) => {
    const said = complaint(() => parseMatrix('night.yaml', text));
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });

  test('that is not there is refused', () => {
    expect(complaint(() => readMatrixFile('/nope.yaml'))).toMatch(
      /^--matrix \/nope\.yaml: .*; give a YAML or JSON file$/,
    );
  });
});

/** Matrices whose texts need no meaning. */
const matrices: fc.Arbitrary<Matrix> = fc
  .record(
    Object.fromEntries(
      AXES.map((axis) => [
        axis,
        fc.uniqueArray(fc.constantFrom('1', '3', 'kill', 'kill,pause', 'etcd:/a b', 'stormraft'), {
          minLength: 1,
          maxLength: ['targets', 'faults', 'seeds'].includes(axis) ? 4 : 2,
        }),
      ]),
    ) as Record<Axis, fc.Arbitrary<string[]>>,
  )
  .map((axes) => ({ axes, require: ['kill'], server: null }));

describe('expansion', () => {
  test('has the size of the product; ids are unique, and fit for file names', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const cells = expandMatrix(matrix);
        expect(cells).toHaveLength(cellCount(matrix));
        const ids = cells.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(id).toMatch(/^[\w+-]{1,120}$/);
      }),
      { numRuns: 30 },
    );
  });

  test('shards have every cell once, and sizes that differ by one at most', () => {
    fc.assert(
      fc.property(matrices, fc.integer({ min: 1, max: 9 }), (matrix, count) => {
        const cells = expandMatrix(matrix);
        const shards = Array.from({ length: count }, (_, at) =>
          cellsOfShard(cells, { index: at + 1, count }),
        );
        expect(shards.map(([first]) => first)).toEqual(
          Array.from({ length: count }, (_, at) => cells[at]),
        );
        const ids = (of: typeof cells): string[] => of.map(({ id }) => id).sort();
        expect(ids(shards.flat())).toEqual(ids(cells));
        const sizes = shards.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });

  test('an id stays when other values come and go, and survives the file of results', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const ids = new Set(expandMatrix(matrix).map(({ id }) => id));
        const { axes } = matrix;
        const fewer = { ...matrix, axes: { ...axes, seeds: axes.seeds.slice(-1) } };
        for (const { id } of expandMatrix(fewer)) expect(ids).toContain(id);
        const read: unknown = JSON.parse(JSON.stringify(matrix));
        expect(isMatrix(read) && expandMatrix(read)).toEqual(expandMatrix(matrix));
      }),
      { numRuns: 20 },
    );
  });
});

describe('the command line', () => {
  const matrix = join(import.meta.dirname, '../../docs/examples/campaign.yaml');

  test('without a matrix there is no campaign', () => {
    expect(campaignRequest({ seed: '1' })).toBeUndefined();
  });

  test('shards have directories of their own', () => {
    expect(campaignRequest({ matrix, shard: '2/4' })).toMatchObject({
      shard: { index: 2, count: 4 },
      directory: 'runs/campaign-2-of-4',
      command: [
        `npm run storm -- run --matrix ${matrix} --shard 2/4`,
        '--runs-dir runs/campaign-2-of-4',
      ].join(' '),
      keepGoing: false,
    });
    expect(campaignRequest({ matrix, runsDir: '/r' })).toMatchObject({ directory: '/r' });
  });

  test.each<[string, Parameters<typeof campaignRequest>[0], RegExp]>([
    ['a shard of nothing', { shard: '1/2' }, /^--shard: only for a campaign; give --matrix too$/],
    ['going on without', { keepGoing: true }, /^--keep-going: only for a campaign/],
    ['a field as option', { matrix, timeLimit: '5' }, /^--time-limit: not with --matrix; write it/],
    ['shard 0', { matrix, shard: '0/4' }, /^--shard 0\/4: give i\/n with i from 1 to n$/],
  ])('%s is refused', (_, raw, message) => {
    expect(complaint(() => campaignRequest(raw))).toMatch(message);
  });

  test('every option of storm run is a field, or one that goes with --matrix', () => {
    const sources = ['cli.ts', 'cli/timing-options.ts', 'cli/campaign.ts'].map((name) =>
      readFileSync(join(import.meta.dirname, '../../harness', name), 'utf8'),
    );
    const [, run] = /function addRun(.+?)\.action/s.exec(sources[0]!)!;
    const [, more] = /function withMatrix(.+?)\n\}/s.exec(sources[2]!)!;
    const options = [...`${run}${sources[1]}${more}`.matchAll(/\.option\('--([\w-]+)/g)].map(
      ([, name]) => name!,
    );
    expect(options.length).toBeGreaterThan(14);
    const renamed = { seed: 'seeds', target: 'targets', 'time-limit': 'durations' };
    const fields = complaint(() => matrixOf(''))
      .split('use ')[1]!
      .split(', ');
    const others = ['matrix', 'shard', 'keep-going', 'again', 'runs-dir', 'junit'];
    // Refused in so many words: a campaign has its plans drawn.
    expect(complaint(() => campaignRequest({ matrix: 'x', plan: 'y' }))).toMatch(
      /^--plan: not with/,
    );
    others.push('plan');
    const known = [...fields, ...others];
    expect(
      options.map((name) => ({ ...renamed })[name] ?? name).filter((name) => !known.includes(name)),
    ).toEqual([]);
  });
});

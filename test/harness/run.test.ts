/** `storm run`, `check` and `report` end to end over a cluster without servers. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Checker, Validity } from '../../checkers/checker.ts';
import { type Backends, chooseBackends, sweepAll } from '../../harness/backends.ts';
import { ClusterError } from '../../harness/cluster/cluster.ts';
import { checkCommand, reportCommand } from '../../harness/commands/check.ts';
import { durabilityCommand } from '../../harness/commands/durability.ts';
import { failoverCommand } from '../../harness/commands/failover.ts';
import { runCommand } from '../../harness/commands/run.ts';
import { medianOf } from '../../harness/median.ts';
import { parseRunRequest, type RawRunOptions } from '../../harness/options.ts';
import { makePlan, planAs } from '../../harness/plan.ts';
import { loadRunRecord } from '../../harness/run-record.ts';
import type { Services } from '../../harness/services.ts';
import { readSides } from '../../harness/side-by-side/side-by-side.ts';
import { RunDirectory } from '../../harness/store.ts';
import { sleep } from '../../harness/timing.ts';
import { limit } from '../../workloads/generator/bounds.ts';
import type { Generator } from '../../workloads/generator/generator.ts';
import { stagger } from '../../workloads/generator/pace.ts';
import { generator } from '../../workloads/generator/steps.ts';
import { ALL_CAPABILITIES, FakeCluster, type FakeFlaws, fakeProbe } from './fake-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

const runs = mkdtempSync(join(tmpdir(), 'storm-test-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const reads: Generator = generator(() => ({
  type: 'op',
  op: { f: 'read', value: null },
  generator: reads,
}));

interface Setup {
  readonly services: Services;
  readonly lines: string[];
  readonly clusters: FakeCluster[];
}

function setUp(
  validity: Validity,
  flaws: FakeFlaws = {},
  store = new Map<string, string>(),
): Setup {
  const lines: string[] = [];
  const clusters: FakeCluster[] = [];
  const clock = new VirtualClock();
  const checker: Checker = {
    name: 'fake',
    check: (history) => ({
      name: 'fake',
      validity,
      summary: `${history.length} ops`,
      details: {},
      ...(validity === 'invalid'
        ? { evidence: { sentence: 'n1 lied', ops: [], fromIndex: 0, toIndex: 1 } }
        : {}),
    }),
  };
  const backends: Backends = {
    docker: {
      probe: async () => ({ available: false, detail: 'no daemon' }),
      open: () => Promise.reject(new ClusterError('no daemon')),
      sweep: async () => ({}),
    },
    process: {
      probe: async () => ({ available: true, detail: 'fake' }),
      open: async () => {
        const cluster = new FakeCluster(flaws);
        clusters.push(cluster);
        return cluster;
      },
      sweep: async () => ({ processes: 2, mounts: 1 }),
    },
  };
  const current = (): FakeCluster => clusters.at(-1)!;
  const services: Services = {
    backends,
    clock,
    progress: { print: (line) => lines.push(line), live: () => undefined },
    processId: 1,
    signal: new AbortController().signal,
    openProbe: () => ({
      status: (node, timeoutMs) => fakeProbe(current()).status(node, timeoutMs),
      linearizableRead: (node, timeoutMs) => fakeProbe(current()).linearizableRead(node, timeoutMs),
      metricsText: async () => undefined,
      close: () => undefined,
    }),
    openKeyClient: ({ name }) => ({
      put: async (key, value) => {
        await sleep(clock, 5);
        if (!current().answers(name)) return false;
        store.set(key, value);
        return true;
      },
      readPrefix: async (prefix) =>
        current().answers(name)
          ? new Map([...store].filter(([key]) => key.startsWith(prefix)))
          : undefined,
      close: () => undefined,
    }),
    workload: () => ({
      name: 'fake',
      fs: ['read'],
      openClient: (endpoint) => ({
        invoke: async () => {
          await sleep(clock, 3);
          const node = endpoint.split('/').at(-1)!;
          if (current().answers(node)) return { type: 'ok', value: 1 };
          return { type: 'fail', error: 'refused' };
        },
        close: () => undefined,
      }),
      generator: stagger({ meanNs: 50e6, gaps: 'uniform' }, reads),
      finalGenerator: limit(5, reads),
      checkers: [checker],
    }),
    renderReport: async (record) => `<html>${record.validity} ${record.faults.length}</html>`,
  };
  return { services, lines, clusters };
}

let label = 0;

/** A request with a run directory of its own. */
function requestOf(raw: RawRunOptions = {}): ReturnType<typeof parseRunRequest> {
  const runsDir = join(runs, String(++label));
  return parseRunRequest(
    { target: `etcd:${process.execPath}`, seed: '5', runsDir, ...raw },
    () => 0,
  );
}

async function savedRun(): Promise<string> {
  const request = requestOf({ timeLimit: '10' });
  expect(await runCommand(setUp('valid').services, request)).toBe(0);
  return join(request.runsDirectory, 'latest');
}

describe('storm run', () => {
  test('a valid run: exit 0, every file, and the lines a person reads', async () => {
    const { services, lines, clusters } = setUp('valid');
    const request = requestOf({ junit: join(runs, 'junit-copy.xml') });
    expect(await runCommand(services, request)).toBe(0);
    const directory = RunDirectory.open(join(request.runsDirectory, 'latest'));
    for (const name of ['plan.json', 'environment.json', 'history.jsonl', 'faults.json']) {
      expect(existsSync(directory.file(name))).toBe(true);
    }
    expect(readFileSync(directory.file('report.html'), 'utf8')).toMatch(/^<html>valid \d+</);
    expect(readFileSync(join(runs, 'junit-copy.xml'), 'utf8')).toContain('name="fake"');
    expect(clusters[0]!.disposed).toBe(true);
    const text = lines.join('\n');
    expect(text).toContain('sweep: removed 2 processes, 1 mounts of dead runs');
    expect(text).toContain('cluster: 3 members on process (no docker: no daemon)');
    expect(text).toContain('plan: seed 5');
    expect(text).toMatch(/faults: (\d+) of \1 took effect/);
    expect(text).toContain('verdict: valid');
    expect(text).toContain('run again: npm run storm -- run --seed 5 --cluster process');
    expect(text).toContain(`check again: npm run storm -- check ${directory.path}`);
    const record = loadRunRecord(directory);
    expect(record.history.every((op) => op.process !== 'nemesis')).toBe(true);
    expect(record.members.map((member) => member.node)).toEqual(['n1', 'n2', 'n3']);
    expect(record.members[0]!.status.length).toBeGreaterThan(100);
  });

  test('an invalid run: exit 1, with evidence, also as a JUnit failure', async () => {
    const { services, lines } = setUp('invalid');
    const request = requestOf({ timeLimit: '10' });
    expect(await runCommand(services, request)).toBe(1);
    expect(lines).toContain('verdict: invalid');
    expect(lines).toContain('evidence: n1 lied');
    const junit = readFileSync(join(request.runsDirectory, 'latest', 'junit.xml'), 'utf8');
    expect(junit).toContain('<failure message="n1 lied" type="invalid"/>');
    expect(junit).toContain('failures="1"');
  });

  test.each<[string, FakeFlaws, RawRunOptions, string]>([
    [
      'most faults without effect',
      { grudgeDoesNothing: true, killDoesNothing: true },
      {},
      'planned faults took effect',
    ],
    [
      'a required fault without effect',
      { slowDiskDoesNothing: true },
      { require: ['slow-disk'] },
      'the required fault slow-disk never took effect',
    ],
  ])('%s: unknown, exit 2', async (_, flaws, raw, reason) => {
    const { services, lines } = setUp('valid', flaws);
    expect(await runCommand(services, requestOf(raw))).toBe(2);
    const verdict = lines.find((line) => line.startsWith('verdict: unknown'));
    expect(verdict).toContain(reason);
    expect(verdict).toContain('no effect: ');
  });

  test('a member that died alone is not hidden by a kill that follows: unknown', async () => {
    const { services, lines, clusters } = setUp('valid');
    const request = requestOf({ timeLimit: '10', faults: 'kill-all' });
    services.clock.after(1_000, () => clusters[0]!.dead.add('n2'));
    expect(await runCommand(services, request)).toBe(2);
    expect(clusters[0]!.calls).toContain('kill n2');
    expect(lines.find((line) => line.startsWith('verdict: '))).toBe(
      'verdict: unknown (n2 died without being killed: see the log)',
    );
  });

  test('no fault is started once the clients have ended', async () => {
    const { services, lines, clusters } = setUp('valid');
    const { process } = services.backends;
    const slow: Backends['process'] = {
      ...process,
      open: async (config, onProgress) => {
        const cluster = await process.open(config, onProgress);
        const start = cluster.start.bind(cluster);
        cluster.start = async (node) => {
          await sleep(services.clock, 25_000);
          return start(node);
        };
        return cluster;
      },
    };
    const backends = { ...services.backends, process: slow };
    const request = requestOf({ timeLimit: '20', faults: 'kill' });
    expect(await runCommand({ ...services, backends }, request)).toBe(2);
    const late = lines.filter((line) => /^fault no-effect: .*: not started in time$/.test(line));
    expect(late.length).toBeGreaterThan(1);
    expect(clusters[0]!.calls.filter((call) => call.startsWith('kill'))).toHaveLength(1);
  });

  test.each<[string, (request: RawRunOptions) => RawRunOptions, boolean]>([
    ['report', (raw) => raw, true],
    ['--junit', (raw) => ({ ...raw, junit: join(runs, 'none', 'junit.xml') }), false],
  ])('a %s that cannot be written loses neither verdict nor its status', async (...row) => {
    const [what, raw, reportFails] = row;
    const { services, lines } = setUp('invalid');
    const renderReport = reportFails
      ? () => Promise.reject(new Error('report failed'))
      : services.renderReport;
    const request = requestOf(raw({ timeLimit: '10' }));
    const running = runCommand({ ...services, renderReport }, request);
    await expect(running).rejects.toThrow(what);
    expect(lines).toContain('verdict: invalid');
    expect(lines.some((line) => line.startsWith('check again: '))).toBe(true);
    const directory = RunDirectory.open(join(request.runsDirectory, 'latest'));
    expect(directory.readVerdict().validity).toBe('invalid');
    expect(existsSync(directory.file('report.html'))).toBe(!reportFails);
  });

  test('a required fault that is not possible here is refused, and leaves nothing', async () => {
    const { services, lines, clusters } = setUp('valid');
    const { process } = services.backends;
    const unable: Backends['process'] = {
      ...process,
      open: async (config) => {
        const cluster = new FakeCluster(
          {},
          ALL_CAPABILITIES.map((each) =>
            each.capability === 'clock' ? { ...each, available: false, detail: 'no clock' } : each,
          ),
        );
        clusters.push(cluster);
        writeFileSync(join(config.runDirectory, 'n1.log'), 'started');
        return cluster;
      },
    };
    const backends = { ...services.backends, process: unable };
    const request = requestOf({ faults: 'kill,clock-skew', require: ['clock-skew'] });
    await expect(runCommand({ ...services, backends }, request)).rejects.toThrow(
      '--require clock-skew: not possible for etcd on process: no clock; use kill',
    );
    expect(clusters[0]!.disposed).toBe(true);
    expect(lines.some((line) => line.startsWith('storm: '))).toBe(false);
    expect(readdirSync(request.runsDirectory)).toEqual([]);
  });

  test('a cluster that cannot be opened leaves no empty directory', async () => {
    const { services } = setUp('valid');
    const broken: Backends['process'] = {
      ...services.backends.process,
      open: () => Promise.reject(new ClusterError('n1 has ended: unknown flag: --pre-vote')),
    };
    const request = requestOf();
    const backends = { ...services.backends, process: broken };
    await expect(runCommand({ ...services, backends }, request)).rejects.toThrow(
      /^--target etcd:\S+: does not know --pre-vote; give a version of etcd that does$/,
    );
    expect(readdirSync(request.runsDirectory)).toEqual([]);
  });

  test('a cluster that never answers is no verdict; it is torn down', async () => {
    const { services, clusters } = setUp('valid', { unreadable: ['n1'] });
    await expect(runCommand(services, requestOf())).rejects.toThrow('n1 never answered a read');
    expect(clusters[0]!.disposed).toBe(true);
  });

  test('an interrupted run heals, tears down and says where its history is', async () => {
    const { services, clusters } = setUp('valid');
    const aborting = new AbortController();
    const { clock } = services;
    const running = runCommand({ ...services, signal: aborting.signal }, requestOf());
    clock.after(12_000, () => aborting.abort());
    await expect(running).rejects.toThrow('interrupted; the history is in');
    expect(clusters[0]!.isWhole).toBe(true);
    expect(clusters[0]!.disposed).toBe(true);
  });
});

describe('storm run on several targets', () => {
  const target = `etcd:${process.execPath},stormraft`;

  test('takes the same plan to each, one report and the worst verdict', async () => {
    const { services, lines, clusters } = setUp('unknown');
    const request = requestOf({ target, timeLimit: '10', junit: join(runs, 'both.xml') });
    expect(await runCommand(services, request)).toBe(2);
    expect(clusters.map(({ disposed }) => disposed)).toEqual([true, true]);
    const path = realpathSync(join(request.runsDirectory, 'latest'));
    const sides = readSides(path);
    expect(sides.map(({ name }) => name)).toEqual(['etcd', 'stormraft']);
    const [one, other] = sides.map(({ directory }) => directory.readPlan());
    expect(one!.schedule.length).toBeGreaterThan(0);
    expect(other!.schedule).toEqual(one!.schedule);
    expect([one!.target.kind, other!.target.kind]).toEqual(['etcd', 'stormraft']);
    const environment = sides[1]!.directory.readEnvironment().map(({ name }) => name);
    expect(environment).toEqual(expect.arrayContaining(['target', 'code', 'backend']));
    expect(lines).toContain('side by side: etcd unknown, stormraft unknown');
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('etcd is unknown');
    const junit = readFileSync(join(runs, 'both.xml'), 'utf8');
    expect(junit.match(/<testsuite name="(?:etcd|stormraft): storm seed 5/g)).toHaveLength(2);

    const again = setUp('valid');
    expect(await checkCommand(again.services, path)).toBe(0);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('etcd is valid');
    expect(await checkCommand(again.services, sides[0]!.directory.path)).toBe(0);
    rmSync(join(path, 'report.html'));
    expect(await reportCommand(again.services, path)).toBe(0);
    expect(existsSync(join(path, 'report.html'))).toBe(true);
    writeFileSync(join(path, 'side-by-side.json'), '{}');
    await expect(checkCommand(again.services, path)).rejects.toThrow(
      /field format: not storm-side/,
    );
  });

  test('leaves out for the second what it cannot do, and shows it', async () => {
    const options = parseRunRequest({ seed: '5', faults: 'kill,clock-skew' }, () => 0).options;
    const first = makePlan(options, 'process', ALL_CAPABILITIES);
    const capabilities = ALL_CAPABILITIES.filter(({ capability }) => capability !== 'clock');
    const second = planAs(first, options, { backend: 'process', capabilities });
    const kills = first.schedule.filter(({ spec }) => spec.kind === 'kill');
    expect(second.schedule).toEqual(kills);
    expect(kills.length).toBeLessThan(first.schedule.length);
    expect(second.missingFaults.map(({ kind }) => kind)).toEqual(['clock-skew']);
    const third = planAs(second, options, { backend: 'process', capabilities: ALL_CAPABILITIES });
    expect(third.schedule).toEqual(kills);
    expect(third.missingFaults[0]!.detail).toMatch(/^left out as in the first run/);
  });
});

describe('storm check and report', () => {
  test('judge and show a saved run again', async () => {
    const path = await savedRun();
    const { services } = setUp('unknown');
    expect(await checkCommand(services, path)).toBe(2);
    expect(RunDirectory.open(path).readVerdict().validity).toBe('unknown');
    rmSync(join(path, 'report.html'));
    expect(await reportCommand(services, path)).toBe(2);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('unknown');
  });

  test('a JUnit file that cannot be saved keeps nobody from the verdict', async () => {
    const path = await savedRun();
    rmSync(join(path, 'junit.xml'));
    mkdirSync(join(path, 'junit.xml'));
    const { services, lines } = setUp('invalid');
    const refusal = await checkCommand(services, path).catch((error) => error);
    expect(refusal.name).toBe('StormError');
    expect(refusal.message).toContain('junit.xml: ');
    expect(lines).toContain('verdict: invalid');
    expect(RunDirectory.open(path).readVerdict().validity).toBe('invalid');
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['no run', (path) => rmSync(join(path, 'plan.json')), /no plan\.json there/],
    ['cut-off storm', (path) => rmSync(join(path, 'faults.json')), /the storm was cut off/],
    ['no history', (path) => rmSync(join(path, 'history.jsonl')), /ENOENT.*run it again/],
    [
      'history cut within a line',
      (path) => truncateSync(join(path, 'history.jsonl'), 1_000),
      /history\.jsonl in .*: line \d+: not JSON; restore the file or run again/,
    ],
    [
      'history cut between lines',
      (path) => {
        const file = join(path, 'history.jsonl');
        const lines = readFileSync(file, 'utf8').split('\n').slice(0, 10);
        writeFileSync(file, `${lines.join('\n')}\n`);
      },
      /truncated, 10 ops where faults\.json tells of \d+/,
    ],
    [
      'history of one endless line',
      (path) => truncateSync(join(path, 'history.jsonl'), 600 * 1024 * 1024),
      /history\.jsonl: not a file of lines; run it again/,
    ],
    [
      'history with a line missing',
      (path) => {
        const file = join(path, 'history.jsonl');
        writeFileSync(file, readFileSync(file, 'utf8').split('\n').toSpliced(3, 1).join('\n'));
      },
      /history\.jsonl in .*: line 4: field index: 4 where 3 was due/,
    ],
    [
      'garbled history',
      (path) => writeFileSync(join(path, 'history.jsonl'), '{"index":0}\n'),
      /line 1: field time/,
    ],
    ['garbled plan', (path) => writeFileSync(join(path, 'plan.json'), '{'), /plan\.json in /],
    [
      'plan of another format',
      (path) => writeFileSync(join(path, 'plan.json'), '{"format":"storm-plan/9"}'),
      /field format: not storm-plan\/1/,
    ],
  ])('%s is refused in one line', async (_, damage, message) => {
    const path = await savedRun();
    damage(path);
    const refusal = await checkCommand(setUp('valid').services, path).catch((error) => error);
    expect(refusal.name).toBe('StormError');
    expect(refusal.message).toMatch(message);
    expect(refusal.message).not.toContain('\n');
  });
});

describe('measurements', () => {
  const cluster = { memberCount: 3, heartbeatMs: 100, electionMs: 1000 };
  const target = { kind: 'etcd', path: process.execPath } as const;

  test('failover: rounds in turns, medians and the ratio', async () => {
    const { services, lines } = setUp('valid');
    const request = {
      ...cluster,
      rounds: 2,
      targets: [{ kind: 'stormraft', root: '.' }, target] as const,
      cluster: 'auto' as const,
      runsDirectory: join(runs, 'failover'),
    };
    expect(await failoverCommand(services, request)).toBe(0);
    expect(
      lines.filter((line) => /round \d: stormraft \d+ ms, etcd \d+ ms/.test(line)),
    ).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^failover: ratio stormraft \/ etcd: \d+\.\d\d$/);
  });

  test('durability: counts what was acknowledged and what is gone', async () => {
    const request = {
      rounds: 2,
      cluster: 'auto' as const,
      runsDirectory: join(runs, 'durability'),
      config: { ...cluster, target },
    };
    const sound = setUp('valid');
    expect(await durabilityCommand(sound.services, request)).toBe(0);
    expect(sound.lines.at(-1)).toMatch(/: [1-9]\d+ writes acknowledged, 0 lost$/);
    const forgetful = new Map<string, string>();
    forgetful.set = () => forgetful;
    const lossy = setUp('valid', {}, forgetful);
    expect(await durabilityCommand(lossy.services, request)).toBe(1);
    expect(lossy.lines.some((line) => line.startsWith('evidence: '))).toBe(true);
  });

  test('medians', () => {
    expect(medianOf([3])).toBe(3);
    expect(medianOf([30, 4, 100])).toBe(30);
    expect(medianOf([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('backends', () => {
  const { backends } = setUp('valid').services;
  const available: Backends = {
    ...backends,
    docker: { ...backends.docker, probe: async () => ({ available: true, detail: 'Docker 20' }) },
  };

  test('auto takes docker if it answers and keeps processes to fall back on', async () => {
    const choice = await chooseBackends('auto', available);
    expect(choice.map((candidate) => candidate.backend)).toEqual(['docker', 'process']);
    const fallback = await chooseBackends('auto', backends);
    expect(fallback).toEqual([{ backend: 'process', why: 'no docker: no daemon' }]);
  });

  test('docker asked for and absent is refused with the way out', async () => {
    await expect(chooseBackends('docker', backends)).rejects.toThrow(
      '--cluster docker: no daemon; start the daemon or use --cluster process',
    );
  });

  test('a docker that answers and then fails is reported, processes are used', async () => {
    const { services, lines } = setUp('valid');
    const docker = { ...services.backends.docker, probe: available.docker.probe };
    const both = { ...services.backends, docker };
    const request = requestOf({ timeLimit: '10' });
    expect(await runCommand({ ...services, backends: both }, request)).toBe(0);
    expect(lines).toContain('cluster: docker failed: no daemon');
  });

  test('a sweep leaves docker out when no daemon answers', async () => {
    expect(await sweepAll(backends)).toBe('2 processes, 1 mounts');
  });

  test('a sweep waits for a daemon that is slow, and says so if it never answers', async () => {
    const said: string[] = [];
    const onSilent = (detail: string): number => said.push(detail);
    let asked = 0;
    const silent = { available: false, detail: 'silent', isSilent: true } as const;
    const slow = {
      ...backends.docker,
      probe: async () => (++asked < 3 ? silent : { available: true, detail: 'there' }),
      sweep: async () => ({ containers: 4 }),
    };
    expect(await sweepAll({ ...backends, docker: slow }, onSilent)).toContain('4 containers');
    expect(said).toEqual([]);
    const dead = { ...slow, probe: async () => silent };
    expect(await sweepAll({ ...backends, docker: dead }, onSilent)).not.toContain('containers');
    expect(said).toEqual(['silent']);
  });
});

/**
 * A plan file on both targets, one after the other, while nobody reads what is printed: the storm
 * goes on, ends well and leaves a comparison.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSides } from '../../harness/side-by-side/side-by-side.ts';
import { findEtcd } from '../docker/docker-lab.ts';
import { ROOT } from './lab.ts';
import { CLI, processesOf, StormLab } from './storm-lab.ts';

const PLAN = join(ROOT, 'docs/examples/two-faults-at-once.yaml');
/** The status of the storm, if its reader has none to complain of. */
const HEADED = 'set -o pipefail; "$@" | head -n 1';

let storms: StormLab;
beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

describe.skipIf(findEtcd() === undefined)('storm run --plan on both targets', () => {
  test('goes on when its output is closed', async () => {
    const runs = storms.runsDirectory;
    const command = [process.execPath, join(ROOT, CLI), 'run', '--plan', PLAN, '--target', 'both'];
    const args = ['-c', HEADED, 'bash', ...command, '--runs-dir', runs];
    const ended = await storms.lab.launch('bash', args).ended;
    expect(ended.stdout.trim().split('\n')).toHaveLength(1);
    expect(ended.stderr).toBe('');
    const path = realpathSync(join(runs, 'latest'));
    const sides = readSides(path);
    expect(sides.map(({ name }) => name)).toEqual(['stormraft', 'etcd']);
    const verdicts = sides.map(({ directory }) => directory.readVerdict().validity);
    expect(ended.code).toBe(verdicts.every((each) => each === 'valid') ? 0 : 2);
    for (const { directory } of sides) {
      expect(existsSync(directory.file('report.html'))).toBe(true);
      const run = { directory: directory.path, id: `storm-${basename(directory.path)}-` };
      expect(processesOf(run)).toEqual([]);
      const version = directory.readEnvironment().find(({ name }) => name === 'target version');
      expect(version?.value).toMatch(/^\d+\.\d+\.\d+\S* \(n1, n2, n3\)$/);
      const starts = directory.readPlan().schedule.map(({ startMs }) => startMs);
      expect(starts).toEqual([1000, 1500, 4000]);
    }
    const report = readFileSync(join(path, 'report.html'), 'utf8');
    expect(report).toContain('Report of etcd');
  });
});

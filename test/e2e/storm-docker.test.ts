/** A whole storm on containers, and what is left of one whose harness was killed. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDaemon, probeDocker } from '../../harness/cluster/docker/daemon.ts';
import { complaints, killedMidFault, line, StormLab } from './storm-lab.ts';

const probe = await probeDocker();
/** Where the machine is ours to set up, a missing daemon is a failure and not a reason to skip. */
const mustRun = process.env.CI === 'true';
const title = probe.available ? 'storm on docker' : `storm on docker (not run: ${probe.detail})`;
const STORM = ['run', '--cluster', 'docker', '--seed', '7', '--time-limit', '15'] as const;
/** The first run on a machine also builds the image. */
const RUN_MS_MAX = 400_000;

/** How many containers and networks bear the run's label. */
async function countLabelled(runId: string): Promise<{ containers: number; networks: number }> {
  const { docker } = await connectDaemon();
  const filters = { label: [`stormraft.run=${runId}`] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  return { containers: containers.length, networks: networks.length };
}

test.runIf(mustRun)('a daemon is there on CI', () => {
  expect(probe).toMatchObject({ available: true });
});

describe.skipIf(!probe.available)(title, () => {
  let storms: StormLab;

  beforeAll(() => {
    storms = new StormLab();
  });
  afterAll(() => storms[Symbol.asyncDispose]());

  test('is valid, with faults that worked, and leaves its files', {
    timeout: RUN_MS_MAX,
  }, async () => {
    const { ended, directory } = await storms.run(...STORM);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(complaints(ended)).toEqual([]);
    expect(line(ended.stdout, 'cluster: 3 members on docker')).toBeDefined();
    expect(line(ended.stdout, 'verdict:')).toMatch(/^valid/);
    expect(line(ended.stdout, 'figures:')).toMatch(/^[1-9]\d* operations/);
    expect(line(ended.stdout, 'faults:')).toMatch(/^[1-9]\d* of \d+ took effect/);
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(['history.jsonl', 'faults.json', 'report.html', 'junit.xml']),
    );
    expect(readdirSync(join(directory, 'logs')).sort()).toEqual(['n1.log', 'n2.log', 'n3.log']);
  });

  test('a killed harness leaves containers to the next sweep', {
    timeout: RUN_MS_MAX,
  }, async () => {
    const run = await killedMidFault(storms, STORM, async (living) => {
      // Another storm's sweep lets it live.
      expect((await storms.storm('sweep')).code).toBe(0);
      expect((await countLabelled(living.id)).containers).toBeGreaterThan(0);
    });
    const before = await countLabelled(run.id);
    expect(before.containers).toBeGreaterThan(0);
    expect(before.networks).toBeGreaterThan(0);
    const swept = await storms.storm('sweep');
    expect(swept, swept.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(swept.stdout).toMatch(/sweep: removed .*\d+ containers/);
    expect(await countLabelled(run.id)).toEqual({ containers: 0, networks: 0 });
  });
});

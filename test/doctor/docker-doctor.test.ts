/** The docker probes with a real daemon. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectDaemon } from '../../harness/cluster/docker/daemon.ts';
import { sweepDocker } from '../../harness/cluster/docker/sweep.ts';
import { doctorCommand } from '../../harness/doctor/doctor.ts';
import type { DoctorReport } from '../../harness/doctor/table.ts';
import { wireServices } from '../../harness/wiring.ts';
import { dockerBlocker, findEtcd, leftovers } from '../docker/docker-lab.ts';

const blocker = await dockerBlocker();
/** Where the machine is ours to set up, a missing daemon is a failure and not a reason to skip. */
const mustRun = process.env.CI === 'true';
const title = blocker === undefined ? 'with a daemon' : `with a daemon (not run: ${blocker})`;

test.runIf(mustRun)('a daemon and an etcd are there on CI', () => {
  expect(blocker).toBeUndefined();
});

describe.skipIf(blocker !== undefined)(title, () => {
  const target = { kind: 'etcd', path: findEtcd() ?? '' } as const;

  test('every mechanism is tried, the basic ones work, nothing is left over', async () => {
    const [stages, printed]: [string[], string[]] = [[], []];
    const collect = (lines: string[]) => ({
      print: (line: string): void => void lines.push(line),
      live: () => undefined,
    });
    const services = wireServices(collect(printed), new AbortController().signal);
    const status = await doctorCommand(services, {
      ...{ cluster: 'docker', json: true, target, columns: 100 },
      progress: collect(stages),
    });
    expect(status).toBe(0);
    const { mechanisms } = JSON.parse(printed.join('\n')) as DoctorReport;
    const details = Object.fromEntries(
      mechanisms.map(({ mechanism, works, detail }) => [mechanism, `${works}: ${detail}`]),
    );
    expect(mechanisms).toHaveLength(17);
    expect(details).toMatchObject({
      daemon: expect.stringMatching(/^true: Docker \S+, API \d/),
      'pause, unpause': expect.stringMatching(/^true: silent while paused/),
      'kill, start': expect.stringMatching(/^true: exit 137; on the same port/),
      'tmpfs size limit': expect.stringMatching(/^true: ENOSPC after/),
      'network disconnect, connect': expect.stringMatching(/^true: cut in .*, back in /),
    });
    expect(mechanisms.filter(({ detail }) => detail === '')).toEqual([]);
    expect(stages).toContain('doctor: docker: 16 mechanisms');
    const { docker } = await connectDaemon();
    const filters = { label: ['stormraft.run'], name: [`storm-doctor-${process.pid}-`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);
  });

  test('what a killed doctor leaves is removed by the next sweep', async () => {
    const runId = `doctor-orphan-${process.pid}`;
    const program = join(import.meta.dirname, 'orphan-doctor.ts');
    const child = spawn(process.execPath, [program, runId, target.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await sweepDocker();
    // Holder, server, peer and their network: the doctor lives, so they stay.
    expect(await leftovers(runId)).toBe(4);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await sweepDocker();
    expect(await leftovers(runId)).toBe(0);
  });
});

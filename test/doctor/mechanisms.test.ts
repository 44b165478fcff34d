/** The list of mechanisms, against what the nemesis needs. */

import { expect, test } from 'vitest';
import { parseScope } from '../../harness/cli/doctor.ts';
import { DOCKER_PROBES } from '../../harness/doctor/docker/group.ts';
import { DAEMON_PROBE } from '../../harness/doctor/docker/machine.ts';
import { faultsThatNeed } from '../../harness/doctor/probe.ts';
import { PROCESS_PROBES } from '../../harness/doctor/process/group.ts';
import { StormError } from '../../harness/exit-code.ts';
import { DEFAULT_FAULT_KINDS, FAULT_PACKAGES } from '../../harness/nemesis/packages.ts';

test.each([
  ['docker', [DAEMON_PROBE, ...DOCKER_PROBES]],
  ['process', PROCESS_PROBES],
] as const)('%s: names are unique, and each has a fallback', (backend, probes) => {
  const names = probes.map(({ mechanism }) => mechanism);
  expect(new Set(names).size).toBe(names.length);
  expect(probes.filter((probe) => probe.fallback === '' || probe.backend !== backend)).toEqual([]);
});

test.each([
  ['docker', DOCKER_PROBES],
  ['process', PROCESS_PROBES],
] as const)('%s: every fault of a default storm rests on a mechanism', (_, probes) => {
  const covered = new Set(probes.flatMap(({ usedBy }) => usedBy));
  expect(DEFAULT_FAULT_KINDS.filter((kind) => !covered.has(kind))).toEqual([]);
});

test('kinds are found by what their packages need', () => {
  expect(faultsThatNeed('kill')).toEqual(['kill', 'kill-all']);
  expect(faultsThatNeed('pause')).toEqual(['pause']);
  for (const kind of faultsThatNeed('partition')) {
    expect(FAULT_PACKAGES[kind].needs).toBe('partition');
  }
  expect(faultsThatNeed()).toEqual([]);
});

test('--cluster takes docker, process and all', () => {
  expect([undefined, 'docker', 'process', 'all'].map(parseScope)).toEqual([
    ...['all', 'docker', 'process', 'all'],
  ]);
  expect(() => parseScope('sim')).toThrow(StormError);
  expect(() => parseScope('sim')).toThrow('--cluster sim: unknown; use docker, process or all');
});

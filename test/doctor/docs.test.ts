/** docs/doctor.md, against the probes and the JSON. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DOCKER_PROBES } from '../../harness/doctor/docker/group.ts';
import { DAEMON_PROBE } from '../../harness/doctor/docker/machine.ts';
import { PROCESS_PROBES } from '../../harness/doctor/process/group.ts';
import { REPORT_FORMAT } from '../../harness/doctor/table.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');

/** What is code in the first column of the tables. */
const rows = new Set(
  [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!),
  ),
);

test('has a row for every mechanism', () => {
  const probes = [DAEMON_PROBE, ...DOCKER_PROBES, ...PROCESS_PROBES];
  expect(probes.map(({ mechanism }) => mechanism).filter((name) => !rows.has(name))).toEqual([]);
});

test('its JSON has the fields of a report, each with a row', () => {
  const [, json] = /```json\n(.+?)```/s.exec(text)!;
  const report = JSON.parse(json!) as { format: string; mechanisms: readonly object[] };
  expect(report.format).toBe(REPORT_FORMAT);
  const findingFields = ['mechanism', 'backend', 'works', 'detail', 'usedBy', 'fallback', 'tookMs'];
  expect(Object.keys(report.mechanisms[0]!).sort()).toEqual([...findingFields].sort());
  const fields = [...Object.keys(report), ...findingFields];
  expect(fields.filter((name) => !rows.has(name))).toEqual([]);
});

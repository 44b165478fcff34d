import { expect, test } from 'vitest';
import type { Finding } from '../../harness/doctor/probe.ts';
import {
  type DoctorReport,
  faultsInWords,
  REPORT_FORMAT,
  renderJson,
  renderTable,
} from '../../harness/doctor/table.ts';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';

const WORKING: Finding = {
  mechanism: 'pause, unpause',
  backend: 'docker',
  works: true,
  detail: 'silent while paused, answers 10 ms after',
  usedBy: ['pause'],
  fallback: 'SIGSTOP',
  tookMs: 812,
};

const MISSING: Finding = {
  ...WORKING,
  mechanism: 'tc netem (delay)',
  works: false,
  detail: 'Error: Specified qdisc kind is unknown',
  usedBy: ['flaky-links'],
  fallback: 'a daemon behind NFQUEUE, then TCP proxies behind nat REDIRECT',
};

test('a table for each backend, with how many work', () => {
  const lines = renderTable([WORKING, MISSING, { ...WORKING, backend: 'process' }], 200);
  expect(lines).toEqual([
    'docker: 1 of 2 mechanisms work',
    expect.stringMatching(/^mechanism +works +faults +measured, or why not$/),
    expect.stringMatching(/^pause, unpause +yes +pause +silent while paused, answers 10 ms after$/),
    expect.stringMatching(
      /^tc netem \(delay\) +no +flaky-links +Error: .* is unknown\. Instead: a daemon .* REDIRECT$/,
    ),
    '',
    'process: 1 of 1 mechanisms work',
    expect.stringMatching(/^mechanism /),
    expect.stringMatching(/^pause, unpause +yes/),
  ]);
});

test('long cells are wrapped between words, in their column, and lose nothing', () => {
  const lines = renderTable([MISSING], 0);
  expect(lines.length).toBeGreaterThan(4);
  expect(lines.every((line) => line.length <= 90)).toBe(true);
  const column = lines[1]!.indexOf('measured');
  const [first, ...others] = lines.slice(2);
  expect(others.every((line) => line.slice(0, column).trim() === '')).toBe(true);
  const words = [first!, ...others].map((line) => line.slice(column).trim()).join(' ');
  expect(words).toBe(`${MISSING.detail}. Instead: ${MISSING.fallback}`);
});

test('kinds of one family are one word, and all kinds are "all"', () => {
  expect(faultsInWords([])).toBe('-');
  expect(faultsInWords(['kill', 'kill-all'])).toBe('kill, kill-all');
  const partitions = FAULT_KINDS.filter((kind) => kind.startsWith('partition-'));
  expect(faultsInWords(['pause', ...partitions])).toBe('pause, partition-*');
  expect(faultsInWords(partitions.slice(1))).toBe(partitions.slice(1).join(', '));
  expect(faultsInWords(FAULT_KINDS)).toBe('all');
});

test('JSON has the format, and every finding with all its fields', () => {
  const report: DoctorReport = {
    format: REPORT_FORMAT,
    cluster: 'all',
    system: 'Linux 6.18 x64, Node v26',
    mechanisms: [WORKING, MISSING],
  };
  const read: unknown = JSON.parse(renderJson(report));
  expect(read).toEqual(report);
  expect(read).toMatchObject({ format: 'storm-doctor-1', mechanisms: [{ works: true }, {}] });
});

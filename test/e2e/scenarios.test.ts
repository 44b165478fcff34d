/** Failure modes by name, as users ask for them, on real members. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { complaints, line, StormLab } from './storm-lab.ts';

const QUICK = ['lock-after-lease-expiry', 'watch-progress-early', 'rbac-nested-txn'];
const TARGETS = [
  ['stormraft', 'sound', false],
  ['etcd', 'reproduced', isMissing('etcd')],
] as const;

let storms: StormLab;
beforeEach(() => {
  storms = new StormLab();
});
afterEach(() => storms[Symbol.asyncDispose]());

describe.each(TARGETS)('storm repro on %s', (target, outcome, missing) => {
  const title = missing ? '%s (not run: etcd is not installed)' : '%s';
  test.skipIf(missing).each(QUICK)(title, async (name) => {
    const args = ['repro', name, '--target', target, '--cluster', 'process'];
    const ended = await storms.storm(...args, '--runs-dir', storms.runsDirectory);
    expect(complaints(ended)).toEqual([]);
    expect(line(ended.stdout, `${name} on ${target}: `)).toMatch(
      new RegExp(`^${outcome} in 1 of 1, median `),
    );
    expect(ended.code).toBe(0);
    // It ended as expected, so nothing is kept.
    expect(readdirSync(storms.runsDirectory).filter((entry) => entry !== 'latest')).toEqual([]);
  });
});

test('a name that nobody knows: one line, and status 3', async () => {
  const ended = await storms.storm('repro', 'leader-los');
  expect(ended.code).toBe(3);
  expect(complaints(ended)).toEqual([
    expect.stringMatching(/^storm: repro leader-los: no such failure mode; use .*leader-loss/),
  ]);
});

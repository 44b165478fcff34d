/** Crashes at named points: the process really ends there, and nothing acknowledged is lost. */
import { afterEach, expect, test } from 'vitest';
import type { FailpointName } from '../../src/ports/failpoints.ts';
import { CrashLab } from '../failpoints/crash-lab.ts';

let lab: CrashLab | undefined;

afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
  lab = undefined;
});

/** All of them: `node test/failpoints/crash-everywhere.ts`. */
async function crashes(size: number, points: readonly FailpointName[]): Promise<void> {
  lab = await CrashLab.open(size);
  await lab.start();
  for (const point of points) {
    const { died, acknowledged, lost, hashes } = await lab.crashAt(point);
    expect(died).toContain(`exit 2, panic: failpoint panic: ${point}`);
    expect(acknowledged).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(new Set(hashes).size).toBe(1);
    expect(hashes).toHaveLength(size);
  }
}

test('a member alone dies before and after its sync, and around a checkpoint', async () => {
  await crashes(1, ['walBeforeSync', 'walAfterSync', 'beforeCommit', 'afterCommit']);
});

test('one of three dies with messages and acknowledgements unsent', async () => {
  await crashes(3, ['raftBeforeLeaderSend', 'raftBeforeFollowerSend']);
});

test('a sleep makes the step take longer, and the count says how often', async () => {
  lab = await CrashLab.open(1);
  await lab.start();
  await lab.stopWriting();
  const member = lab.members[0]!;
  const timed = async (): Promise<number> => {
    const startMs = performance.now();
    expect(await member.put('timed', 'x')).toBe(true);
    return performance.now() - startMs;
  };
  await lab.set(member, 'walBeforeSync', 'sleep(700)');
  expect(await timed()).toBeGreaterThan(690);
  const count = await (await fetch(lab.url(member, 'walBeforeSync/count'))).text();
  expect(Number(count)).toBeGreaterThanOrEqual(1);
  const cleared = await fetch(lab.url(member, 'walBeforeSync'), { method: 'DELETE' });
  expect(cleared.status).toBe(204);
  expect(await (await fetch(lab.url(member, ''))).text()).toContain('walBeforeSync=\n');
});

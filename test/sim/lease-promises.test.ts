import { expect, test } from 'vitest';
import { NodeTime } from '../../harness/sim/clock.ts';
import { FastestClock } from '../../harness/sim/fastest-clock.ts';
import { LeasePromises } from '../../harness/sim/lease-promises.ts';
import { SimLoop } from '../../harness/sim/loop.ts';

const SECOND_NS = 1e9;

test('a lease must live for what was told, counted from the question', () => {
  let nowNs = 0;
  const promises = new LeasePromises(() => nowNs);
  expect(promises.told(7n, promises.now(), 5)).toBeUndefined();
  nowNs = 4 * SECOND_NS;
  expect(promises.expired(7n)).toBe(
    'lease 7 was ended 1000 ms before the time that its client was told',
  );
  nowNs = 5 * SECOND_NS;
  expect(promises.expired(7n)).toBeUndefined();
  // One that nobody was told of may end at once.
  expect(promises.expired(8n)).toBeUndefined();
});

test('an answer that comes after the end is held against it', () => {
  let nowNs = 0;
  const promises = new LeasePromises(() => nowNs);
  promises.told(7n, 0, 5);
  nowNs = 6 * SECOND_NS;
  expect(promises.expired(7n)).toBeUndefined();
  expect(promises.told(7n, 3 * SECOND_NS, 5)).toContain('2000 ms before');
});

test('the fastest clock is as fast as any was at the time', async () => {
  const loop = new SimLoop();
  const times = [new NodeTime(loop, 1), new NodeTime(loop, 1.5)];
  const fastest = new FastestClock(loop, times);
  const pass = (seconds: number): Promise<void> =>
    loop.drive(new Promise((resolve) => loop.schedule(seconds * SECOND_NS, resolve)));
  await pass(2);
  expect(fastest.elapsedNs()).toBe(3 * SECOND_NS);
  times[0]!.setRate(2);
  await pass(1);
  expect(fastest.elapsedNs()).toBe(5 * SECOND_NS);
  times[0]!.setRate(1);
  times[1]!.setRate(1);
  await pass(1);
  expect(fastest.elapsedNs()).toBe(6 * SECOND_NS);
});

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

test('nobody may say that less is left than was promised when it was asked, or too much', () => {
  let nowNs = 0;
  const promises = new LeasePromises(() => nowNs, 1.2);
  promises.told(7n, 0, 5);
  const untilNs = promises.until(7n);
  nowNs = 2 * SECOND_NS;
  const says = (leftS: number) => promises.saysLeft({ id: 7n, leftS, grantedS: 5 }, untilNs);
  expect(says(2)).toBeUndefined();
  expect(says(1)).toBe('lease 7 has 1 s left at the leader, and its client was told of 3.0 s');
  expect(says(6)).toBeUndefined();
  expect(says(7)).toBe('lease 7 of 5 s is said to have 7 s left');
});

test('what a client is told is what the leader counts, and not one that was deposed', () => {
  let leftS: number | undefined = 4;
  const promises = new LeasePromises(
    () => SECOND_NS,
    1,
    () => leftS,
  );
  expect(promises.told(7n, SECOND_NS, 5)).toBeUndefined();
  leftS = 3;
  expect(promises.told(7n, SECOND_NS, 5)).toContain('has 3 s left at the leader');
  leftS = undefined;
  expect(promises.told(7n, SECOND_NS, 5)).toBeUndefined();
});

test('a new leader gives no more than was logged, and no less than was promised', () => {
  const promises = new LeasePromises(() => 4 * SECOND_NS, 1);
  promises.told(7n, SECOND_NS, 5);
  const takes = (leftS: number, loggedS: number) =>
    promises.takenOver({ id: 7n, leftS, loggedS }) === undefined;
  expect(takes(3, 2)).toBe(true);
  expect(takes(4, 2)).toBe(false);
  expect(takes(0, 5)).toBe(false);
  // The same id may be another lease.
  promises.ignore(8n);
  promises.told(8n, 4 * SECOND_NS, 50);
  expect(promises.takenOver({ id: 8n, leftS: 0, loggedS: 1 })).toBeUndefined();
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

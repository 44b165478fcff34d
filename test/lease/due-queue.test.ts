import { expect, test } from 'vitest';
import { DueQueue } from '../../src/lease/due-queue.ts';

interface Item {
  tick: number;
  gone: boolean;
}

const RULE = { dueTick: (item: Item) => item.tick, isGone: (item: Item) => item.gone };

function itemsAt(tick: number, count: number): Item[] {
  return Array.from({ length: count }, () => ({ tick, gone: false }));
}

test('postponed items come at their new time', () => {
  const [item] = itemsAt(5, 1);
  const queue = new DueQueue(RULE, [item!]);
  item!.tick = 9;
  expect(queue.take(5, 1)).toEqual([]);
  expect(queue.take(8, 1)).toEqual([]);
  expect(queue.take(9, 1)).toEqual([item]);
  expect(queue.length).toBe(0);
});

test('a crowd of postponed items is looked at in bounded pieces', () => {
  const items = itemsAt(1, 10_000);
  const late = itemsAt(2, 1);
  const queue = new DueQueue(RULE, [...items, ...late]);
  for (const item of items) item.tick = 100;
  let calls = 0;
  while (queue.take(2, 1).length === 0) calls += 1;
  expect(calls).toBeGreaterThan(1);
  expect(calls).toBeLessThan(10);
  expect(queue.length).toBe(10_000);
});

test('what is gone is swept out once it outnumbers the living', () => {
  const items = itemsAt(1_000_000, 10_000);
  const queue = new DueQueue(RULE, items);
  for (const [position, item] of items.entries()) {
    item.gone = true;
    queue.sweep(items.length - position - 1);
  }
  expect(queue.length).toBeLessThan(2_000);
});

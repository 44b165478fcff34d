import { beforeEach, describe, expect, test } from 'vitest';
import { type CheckpointFacts, CheckpointSchedule } from '../../src/member/checkpoint-schedule.ts';

const MEBIBYTE = 2 ** 20;
const OPTIONS = { snapshotCount: 100_000, electionTicks: 10 };

/** A member whose entries take 300 bytes each. */
class Bench {
  readonly schedule = new CheckpointSchedule(0, OPTIONS);
  sizeBytes = 100 * MEBIBYTE;
  tick = 0;
  applied = 0;

  get facts(): CheckpointFacts {
    const { tick, applied, sizeBytes } = this;
    return { tick, applied, logBytes: applied * 300, sizeBytes };
  }

  get isDue(): boolean {
    return this.schedule.isDue(this.facts);
  }

  pass(ticks: number, entriesEach = 0): void {
    for (let nth = 0; nth < ticks; nth++) {
      this.applied += entriesEach;
      this.schedule.onTick(++this.tick, this.applied);
    }
  }

  /** Begun now, and saved after so many ticks. */
  save(tookTicks: number): void {
    const { applied } = this;
    this.schedule.begin(this.facts);
    expect(this.isDue).toBe(false);
    this.pass(tookTicks);
    expect(this.schedule.saved(applied, this.tick)).toBe(true);
  }
}

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

describe('a checkpoint is due', () => {
  test('after as many entries as are asked for, even without a pause', () => {
    bench.pass(99, 1_000);
    expect(bench.isDue).toBe(false);
    bench.pass(1, 1_000);
    expect(bench.isDue).toBe(true);
    bench.save(0);
    expect(bench.schedule.index).toBe(100_000);
    expect(bench.isDue).toBe(false);
  });

  test('after one that took long, not before a rest of eight times as long', () => {
    bench.pass(100, 1_000);
    bench.save(20);
    bench.pass(159, 1_000);
    expect(bench.isDue).toBe(false);
    bench.pass(1, 1_000);
    expect(bench.isDue).toBe(true);
  });

  test('during that rest, once the log is a quarter of the database', () => {
    bench.pass(100, 1_000);
    bench.save(1_000);
    bench.sizeBytes = 1_024 * MEBIBYTE;
    bench.pass(89, 10_000);
    expect(bench.isDue).toBe(false);
    bench.pass(1, 10_000);
    expect(bench.isDue).toBe(true);
  });

  test('ten election timeouts after one that failed, however long the log is', () => {
    bench.pass(100, 1_000);
    bench.schedule.begin(bench.facts);
    bench.schedule.failed(bench.tick);
    bench.pass(99, 100_000);
    expect(bench.isDue).toBe(false);
    bench.pass(1);
    expect(bench.isDue).toBe(true);
  });
});

describe('with nothing else to do', () => {
  test('it is due after a quarter of the entries', () => {
    bench.pass(25, 1_000);
    bench.pass(19, 1);
    expect(bench.isDue).toBe(false);
    bench.pass(1, 1);
    expect(bench.isDue).toBe(true);
  });

  test('not for fewer entries', () => {
    bench.pass(24, 1_000);
    bench.pass(100);
    expect(bench.isDue).toBe(false);
  });

  test('not if two entries come in every tick', () => {
    bench.pass(25, 1_000);
    bench.pass(100, 2);
    expect(bench.isDue).toBe(false);
  });

  test('not if the state is large for what would be saved', () => {
    bench.sizeBytes = 32 * 25_000 * 300 + 1;
    bench.pass(25, 1_000);
    bench.pass(100);
    expect(bench.isDue).toBe(false);
    bench.sizeBytes -= 1;
    expect(bench.isDue).toBe(true);
  });

  test('there is no rest after one that took long, but after one that failed', () => {
    bench.pass(100, 1_000);
    bench.save(1_000);
    bench.pass(25, 1_000);
    bench.pass(19);
    expect(bench.isDue).toBe(false);
    bench.pass(1);
    expect(bench.isDue).toBe(true);
    bench.schedule.begin(bench.facts);
    bench.schedule.failed(bench.tick);
    bench.pass(99);
    expect(bench.isDue).toBe(false);
    bench.pass(1);
    expect(bench.isDue).toBe(true);
  });
});

test('one that a snapshot has overtaken does not count, and does not end the rest', () => {
  bench.pass(100, 1_000);
  bench.schedule.begin(bench.facts);
  bench.applied = 300_000;
  bench.schedule.replaced(300_000, bench.facts.logBytes);
  expect(bench.schedule.saved(100_000, bench.tick)).toBe(false);
  expect(bench.schedule.index).toBe(300_000);
  expect(bench.isDue).toBe(false);
});

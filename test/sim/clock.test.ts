import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { NodeTime, processClock } from '../../harness/sim/clock.ts';
import { SimLoop } from '../../harness/sim/loop.ts';
import { SimProcess } from '../../harness/sim/process.ts';
import type { Clock } from '../../src/ports/clock.ts';

const MS = 1e6;

class Bench {
  readonly loop: SimLoop = new SimLoop();
  readonly time: NodeTime;
  readonly process: SimProcess = new SimProcess({
    loop: this.loop,
    random: seededRandom(1),
    afterEach: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  readonly clock: Clock;

  constructor(rate = 1) {
    this.time = new NodeTime(this.loop, rate);
    this.clock = processClock(this.process, this.time);
  }

  /** True time. */
  async pass(durationMs: number): Promise<void> {
    const { loop } = this;
    await loop.drive(new Promise<void>((resolve) => loop.schedule(durationMs * MS, resolve)));
  }

  get trueMs(): number {
    return this.loop.nowNs / MS;
  }
}

describe('the time of a node', () => {
  test('drifts by its rate, on both clocks', async () => {
    const bench = new Bench(1.001);
    const { time, loop } = bench;
    const startMs = time.wallMs();
    await bench.pass(1_000);
    expect(time.nowNs()).toBe(1_001 * MS);
    expect(time.wallMs() - startMs).toBeCloseTo(1_001, 6);
    expect(time.offsetMs()).toBeCloseTo(1, 6);
    expect(loop.nowNs).toBe(1_000 * MS);
  });

  test('goes on from where it is when its rate changes', async () => {
    const bench = new Bench(2);
    const { time } = bench;
    await bench.pass(10);
    time.setRate(0.5);
    expect(time.nowNs()).toBe(20 * MS);
    await bench.pass(10);
    expect(time.nowNs()).toBe(25 * MS);
    time.setRate(1);
    await bench.pass(10);
    expect(time.nowNs()).toBe(35 * MS);
    expect(time.offsetMs()).toBeCloseTo(5, 6);
  });

  test('never goes back, however often the rate changes', async () => {
    const bench = new Bench(1);
    const { time } = bench;
    let last = 0;
    for (const rate of [0.9, 1.1, 0.999_999, 1.000_001, 0.5, 3]) {
      time.setRate(rate);
      await bench.pass(0.000_001);
      expect(time.nowNs()).toBeGreaterThanOrEqual(last);
      last = time.nowNs();
    }
    expect(last).toBeGreaterThan(0);
  });

  test('jumps on the wall clock only', async () => {
    const bench = new Bench();
    const { time } = bench;
    await bench.pass(10);
    const before = time.wallMs();
    time.jump(-60_000);
    expect(time.wallMs()).toBe(before - 60_000);
    expect(time.nowNs()).toBe(10 * MS);
    time.jump(61_000);
    expect(time.offsetMs()).toBe(1_000);
  });
});

describe('timers of a process', () => {
  test('run by the local clock, at the rate at which they were set', async () => {
    const bench = new Bench(2);
    const fired: number[] = [];
    bench.clock.after(100, () => fired.push(bench.trueMs));
    bench.time.setRate(1);
    bench.clock.after(100, () => fired.push(bench.trueMs));
    await bench.pass(200);
    expect(fired).toEqual([50, 100]);
  });

  test('of an interval take up a new rate after the next time', async () => {
    const bench = new Bench(1);
    const fired: number[] = [];
    const timer = bench.clock.every(10, () => fired.push(bench.trueMs));
    await bench.pass(15);
    bench.time.setRate(2);
    await bench.pass(16);
    timer[Symbol.dispose]();
    await bench.pass(50);
    expect(fired).toEqual([10, 20, 25, 30]);
  });

  test('of an interval come late once after a suspension, and are not made up', async () => {
    const bench = new Bench();
    const fired: number[] = [];
    bench.clock.every(10, () => fired.push(bench.trueMs));
    await bench.pass(15);
    bench.process.pause();
    await bench.pass(40);
    bench.process.resume();
    await bench.pass(25);
    expect(fired).toEqual([10, 55, 65, 75]);
  });

  test('are gone with the process, while the clock goes on', async () => {
    const bench = new Bench();
    let fired = 0;
    bench.clock.every(10, () => {
      fired += 1;
    });
    await bench.pass(25);
    bench.process.kill();
    await bench.pass(100);
    expect(fired).toBe(2);
    expect(bench.time.nowNs()).toBe(125 * MS);
  });

  test('soon comes behind input that has arrived, and before any tick', async () => {
    const bench = new Bench();
    const log: string[] = [];
    bench.clock.after(1, () => log.push('tick'));
    bench.process.schedule(0, () => {
      bench.clock.soon(() => log.push('turn'));
    });
    bench.process.schedule(0, () => log.push('input'));
    await bench.pass(2);
    expect(log).toEqual(['input', 'turn', 'tick']);
  });
});

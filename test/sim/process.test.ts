import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { SimLoop } from '../../harness/sim/loop.ts';
import { SimProcess } from '../../harness/sim/process.ts';

/** A process, and what it did and when. */
class Bench {
  readonly loop: SimLoop = new SimLoop();
  readonly log: string[] = [];
  readonly errors: unknown[] = [];
  steps = 0;
  readonly process: SimProcess = new SimProcess({
    loop: this.loop,
    random: seededRandom(1),
    afterEach: () => {
      this.steps += 1;
    },
    onError: (error) => this.errors.push(error),
  });

  /** In the process. */
  due(atNs: number, what: string): Disposable {
    return this.process.schedule(atNs, () => this.log.push(`${what}@${this.loop.nowNs}`));
  }

  /** To the process, by somebody else. */
  at(atNs: number, act: (process: SimProcess) => void): void {
    this.loop.schedule(atNs, () => act(this.process));
  }

  async pass(untilNs: number): Promise<void> {
    const delayNs = untilNs - this.loop.nowNs;
    await this.loop.drive(new Promise<void>((resolve) => this.loop.schedule(delayNs, resolve)));
  }
}

describe('a process that is killed', () => {
  test('does nothing any more, whether it was due, suspended or late', async () => {
    const bench = new Bench();
    bench.due(1, 'a');
    bench.due(3, 'b');
    bench.at(2, (process) => process.kill());
    bench.at(4, (process) => {
      process.pause();
      process.resume();
      process.schedule(1, () => bench.log.push('from the dead'));
    });
    await bench.pass(10);
    expect(bench.log).toEqual(['a@1']);
    expect(bench.process.state).toBe('dead');
    expect(bench.steps).toBe(1);
  });

  test('loses what came due while it was suspended', async () => {
    const bench = new Bench();
    bench.process.pause();
    bench.due(1, 'a');
    bench.at(2, (process) => process.kill());
    bench.at(3, (process) => process.resume());
    await bench.pass(10);
    expect(bench.log).toEqual([]);
  });

  test('loses what was late, and never wakes a sleeper', async () => {
    const bench = new Bench();
    bench.process.setSlowness(1_000);
    bench.due(1, 'a');
    let woke = false;
    void bench.process.sleep(5).then(() => {
      woke = true;
    });
    bench.at(2, (process) => process.kill());
    await bench.pass(5_000);
    expect(bench.log).toEqual([]);
    expect(woke).toBe(false);
  });

  test('in the middle of a callback is not looked at afterwards', async () => {
    const bench = new Bench();
    bench.process.schedule(1, () => bench.process.kill());
    await bench.pass(2);
    expect(bench.steps).toBe(0);
  });
});

describe('a process that is suspended', () => {
  test('does all that came due, once and in order, when it goes on', async () => {
    const bench = new Bench();
    bench.due(1, 'a');
    bench.due(3, 'b');
    bench.due(4, 'c');
    bench.due(4, 'd');
    bench.due(12, 'e');
    bench.at(2, (process) => process.pause());
    bench.at(8, (process) => process.pause());
    bench.at(10, (process) => process.resume());
    bench.at(11, (process) => process.resume());
    await bench.pass(20);
    expect(bench.log).toEqual(['a@1', 'b@10', 'c@10', 'd@10', 'e@12']);
    expect(bench.steps).toBe(5);
  });

  test('is not overtaken by what comes due at the moment when it goes on', async () => {
    const bench = new Bench();
    bench.process.pause();
    bench.at(10, (process) => process.resume());
    bench.due(10, 'later');
    bench.due(5, 'earlier');
    await bench.pass(20);
    expect(bench.log).toEqual(['earlier@10', 'later@10']);
  });

  test('forgets what is cancelled meanwhile', async () => {
    const bench = new Bench();
    const timer = bench.due(1, 'a');
    const other = bench.due(1, 'b');
    bench.process.pause();
    bench.at(5, () => timer[Symbol.dispose]());
    bench.at(6, (process) => process.resume());
    await bench.pass(7);
    expect(bench.log).toEqual(['b@6']);
    other[Symbol.dispose]();
  });

  test('may be suspended again by what it catches up with', async () => {
    const bench = new Bench();
    bench.process.pause();
    bench.process.schedule(1, () => bench.process.pause());
    bench.due(2, 'b');
    bench.at(5, (process) => process.resume());
    bench.at(9, (process) => process.resume());
    await bench.pass(20);
    expect(bench.log).toEqual(['b@9']);
  });
});

describe('a slow process', () => {
  test('starts everything late by no more than it is told', async () => {
    const bench = new Bench();
    bench.process.setSlowness(100);
    bench.due(10, 'a');
    bench.due(1_000, 'b');
    await bench.pass(2_000);
    const times = bench.log.map((line) => Number(line.split('@')[1]));
    expect(times[0]).toBeGreaterThanOrEqual(10);
    expect(times[0]).toBeLessThanOrEqual(110);
    expect(times[1]).toBeGreaterThanOrEqual(1_000);
    expect(times[1]).toBeLessThanOrEqual(1_100);
    expect(times).not.toEqual([10, 1_000]);
  });

  /** Everything that may be done to a process but killing it. */
  const acts = fc.array(
    fc.record({
      atNs: fc.nat(300),
      act: fc.oneof(
        fc.nat(100).map((delayNs) => (process: SimProcess) => process.setSlowness(delayNs)),
        fc.constant((process: SimProcess) => process.setSlowness(0)),
        fc.constant((process: SimProcess) => process.pause()),
        fc.constant((process: SimProcess) => process.resume()),
      ),
    }),
    { maxLength: 12 },
  );

  test('does everything once and in order, also when slowness and suspension change', async () => {
    const due = fc.array(fc.nat(300), { maxLength: 25 }).map((all) => all.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(acts, due, async (steps, times) => {
        const bench = new Bench();
        const ran: number[] = [];
        for (const { atNs, act } of steps) bench.at(atNs, act);
        times.forEach((atNs, at) => {
          bench.process.schedule(atNs, () => ran.push(at));
        });
        bench.at(300, (process) => process.resume());
        await bench.pass(1_000);
        expect(ran).toEqual(times.map((_, at) => at));
        expect(bench.steps).toBe(times.length);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('errors', () => {
  test('of callbacks are reported, and the process goes on', async () => {
    const bench = new Bench();
    bench.process.schedule(1, () => {
      throw new Error('thrown in the process');
    });
    bench.due(2, 'b');
    await bench.pass(3);
    expect(bench.errors.map(String)).toEqual(['Error: thrown in the process']);
    expect(bench.log).toEqual(['b@2']);
    expect(bench.steps).toBe(2);
  });
});

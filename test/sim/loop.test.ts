import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimLoop } from '../../harness/sim/loop.ts';

/** Drives the loop until everything that was scheduled before is over. */
async function drain(loop: SimLoop, untilNs: number): Promise<void> {
  await loop.drive(new Promise<void>((resolve) => loop.schedule(untilNs, resolve)));
}

describe('the order of events', () => {
  test('is by time, then by when they were scheduled; cancelled ones do not run', async () => {
    const planned = fc.array(fc.record({ atNs: fc.nat(5), isCancelled: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(planned, async (events) => {
        const loop = new SimLoop();
        const ran: { at: number; atNs: number }[] = [];
        const handles = events.map(({ atNs }, at) =>
          loop.schedule(atNs, () => ran.push({ at, atNs: loop.nowNs })),
        );
        events.forEach(({ isCancelled }, at) => {
          if (isCancelled) handles[at]![Symbol.dispose]();
        });
        await drain(loop, 10);
        const expected = events
          .map(({ atNs, isCancelled }, at) => ({ at, atNs, isCancelled }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.atNs - b.atNs || a.at - b.at)
          .map(({ at, atNs }) => ({ at, atNs }));
        expect(ran).toEqual(expected);
        expect(loop.events).toBe(expected.length + 1);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('what an event schedules for the same instant comes behind what is due then', async () => {
    const loop = new SimLoop();
    const ran: string[] = [];
    loop.schedule(3, () => {
      ran.push('a');
      loop.schedule(0, () => ran.push('c'));
    });
    loop.schedule(3, () => ran.push('b'));
    await drain(loop, 4);
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  test('an event may cancel another of the same instant, and time never goes back', async () => {
    const loop = new SimLoop();
    const ran: string[] = [];
    loop.schedule(1, () => other[Symbol.dispose]());
    const other = loop.schedule(1, () => ran.push('other'));
    await drain(loop, 2);
    expect(ran).toEqual([]);
    expect(loop.nowNs).toBe(2);
    expect(() => loop.schedule(-1, () => undefined)).toThrow('forward');
    expect(() => loop.schedule(Number.NaN, () => undefined)).toThrow('forward');
  });
});

describe('promise reactions', () => {
  /** Hundreds of turns of the microtask queue, through functions that await each other. */
  async function winding(depth: number): Promise<number> {
    if (depth === 0) return 0;
    await undefined;
    const below = await winding(depth - 1);
    await Promise.all([Promise.resolve(), new Promise<void>((resolve) => resolve())]);
    return below + 1;
  }

  test('have all run before the next event, however many they are', async () => {
    const loop = new SimLoop();
    const log: string[] = [];
    for (let at = 0; at < 5; at++) {
      loop.schedule(at === 0 ? 0 : 1, async () => {
        log.push(`${at} begins`);
        log.push(`${at} ends after ${await winding(300)}`);
      });
    }
    await drain(loop, 2);
    expect(log).toEqual([0, 1, 2, 3, 4].flatMap((at) => [`${at} begins`, `${at} ends after 300`]));
  });

  test('also those of whoever waited for the event, and what they set off', async () => {
    const loop = new SimLoop();
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    async function waiter(): Promise<void> {
      await promise;
      await winding(100);
      log.push('waiter');
      throw new Error('a reaction to a rejection counts too');
    }
    void waiter().catch(async () => {
      await winding(100);
      log.push('caught');
    });
    loop.schedule(1, resolve);
    loop.schedule(1, () => log.push('next event'));
    await drain(loop, 2);
    expect(log).toEqual(['waiter', 'caught', 'next event']);
  });

  test('of what was begun just before, wherever the loop is driven from', async () => {
    const orderFrom = (schedule: (begin: () => void) => void): Promise<string[]> =>
      new Promise((resolve) => {
        schedule(() => {
          const loop = new SimLoop();
          const log: string[] = [];
          void winding(10).then(() => log.push('begun before'));
          loop.schedule(0, () => log.push('first event'));
          void drain(loop, 1).then(() => resolve(log));
        });
      });
    const expected = ['begun before', 'first event'];
    expect(await orderFrom(queueMicrotask)).toEqual(expected);
    expect(await orderFrom(setImmediate)).toEqual(expected);
    expect(await orderFrom((begin) => process.nextTick(begin))).toEqual(expected);
  });

  test('of events that resolve no promise are not waited for, yet order is kept', async () => {
    const loop = new SimLoop();
    const log: number[] = [];
    for (let at = 0; at < 300; at++) {
      loop.schedule(at, () => log.push(at), { isSynchronous: at % 7 !== 0 });
    }
    await drain(loop, 300);
    expect(log).toEqual(Array.from({ length: 300 }, (_, at) => at));
  });
});

describe('driving', () => {
  test('settles like its work, and runs no further event after that', async () => {
    const loop = new SimLoop();
    let late = 0;
    loop.schedule(5, () => {
      late += 1;
    });
    await expect(loop.drive(Promise.resolve('done'))).resolves.toBe('done');
    await expect(loop.drive(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(late).toBe(0);
    expect(loop.nowNs).toBe(0);
    await drain(loop, 6);
    expect(late).toBe(1);
  });

  test('rejects with what an event throws', async () => {
    const loop = new SimLoop();
    loop.schedule(5, () => {
      throw new Error('thrown by an event');
    });
    let later = false;
    loop.schedule(6, () => {
      later = true;
    });
    await expect(loop.drive(new Promise(() => undefined))).rejects.toThrow('thrown by an event');
    expect(later).toBe(false);
  });

  test('rejects when nothing is left to happen, instead of waiting for ever', async () => {
    const loop = new SimLoop({ idleTurnsMax: 20 });
    loop.schedule(5, () => undefined);
    await expect(loop.drive(new Promise(() => undefined))).rejects.toThrow('never happen');
    expect(loop.nowNs).toBe(5);
  });

  test('waits for real work meanwhile', async () => {
    const loop = new SimLoop();
    const real = new Promise<string>((resolve) => setImmediate(() => resolve('read')));
    await expect(loop.drive(real)).resolves.toBe('read');
  });

  test('rejects when something runs in circles without letting time pass', async () => {
    const loop = new SimLoop({ eventsPerInstantMax: 1_000 });
    const again = (): void => void loop.schedule(0, again);
    loop.schedule(7, again);
    await expect(loop.drive(new Promise(() => undefined))).rejects.toThrow(
      'more than 1000 events at 7 ns',
    );
  });

  test('many events in many instants are no circle', async () => {
    const loop = new SimLoop({ eventsPerInstantMax: 10 });
    for (let at = 0; at < 1_000; at++) loop.schedule(Math.floor(at / 10), () => undefined);
    await drain(loop, 1_000);
    expect(loop.events).toBe(1_001);
  });
});

describe('the clock of the loop', () => {
  test('is true virtual time; intervals go on until they are disposed of', async () => {
    const loop = new SimLoop();
    const { clock } = loop;
    const startMs = clock.wallMs();
    const ticks: number[] = [];
    const timer = clock.every(10, () => {
      ticks.push(clock.nowNs() / 1e6);
      if (ticks.length === 3) timer[Symbol.dispose]();
    });
    let isLate = false;
    clock
      .after(25, () => {
        isLate = true;
      })
      [Symbol.dispose]();
    await drain(loop, 100e6);
    expect(ticks).toEqual([10, 20, 30]);
    expect(isLate).toBe(false);
    expect(clock.wallMs() - startMs).toBe(100);
  });
});

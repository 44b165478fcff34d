import { describe, expect, test } from 'vitest';
import { pairHistory } from '../../checkers/history/pairing.ts';
import { Interpreter } from '../../harness/interpreter.ts';
import { Recorder } from '../../harness/recorder.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { sleep } from '../../harness/timing.ts';
import type { Generator, Invocation } from '../../workloads/generator/generator.ts';
import { stagger } from '../../workloads/generator/pace.ts';
import { generator } from '../../workloads/generator/steps.ts';
import type { Completion, Workload } from '../../workloads/workload.ts';
import { VirtualClock } from './virtual-clock.ts';

const NODES = ['n1', 'n2', 'n3'].map((name) => ({ name, clientUrl: name }));

/** `write` 1, 2, 3, … without end. */
function writes(next = 1): Generator {
  return generator(() => ({
    type: 'op',
    op: { f: 'write', value: next },
    generator: writes(next + 1),
  }));
}

interface Setup {
  readonly recorder: Recorder;
  readonly interpreter: Interpreter;
  readonly opened: string[];
  readonly closed: string[];
}

function setUp(answer: (op: Invocation, endpoint: string) => Promise<Completion>): Setup {
  const opened: string[] = [];
  const closed: string[] = [];
  const workload: Workload = {
    name: 'fake',
    fs: ['write'],
    openClient: (endpoint) => {
      opened.push(endpoint);
      return { invoke: (op) => answer(op, endpoint), close: () => closed.push(endpoint) };
    },
    generator: writes(),
    finalGenerator: writes(),
    checkers: [],
  };
  const recorder = new Recorder(clock, () => undefined);
  const interpreter = new Interpreter({
    workload,
    nodes: NODES,
    concurrency: 4,
    opTimeoutMs: 100,
    random: seededRandom(1),
    clock,
    recorder,
  });
  return { recorder, interpreter, opened, closed };
}

const clock = new VirtualClock();
const paced = stagger({ meanNs: 1e6, gaps: 'uniform' }, writes());

describe('interpreter', () => {
  test('records a history that pairs, in order, each thread on its node', async () => {
    const { recorder, interpreter } = setUp(async (op) => {
      await sleep(clock, Number(op.value) % 7);
      return { type: 'ok', value: op.value, revision: Number(op.value) };
    });
    await interpreter.run(paced, 200e6);
    const { history } = recorder;
    const paired = pairHistory(history);
    expect(paired.ok).toBe(true);
    expect(history.length).toBeGreaterThan(100);
    expect(history.map((op) => op.index)).toEqual(history.map((_, at) => at));
    for (const op of history) expect(op.node).toBe(`n${((Number(op.process) % 4) % 3) + 1}`);
    const values = history.filter((op) => op.type === 'invoke').map((op) => op.value);
    expect(values).toEqual(values.map((_, at) => at + 1));
    expect(history.filter((op) => op.type === 'ok').every((op) => op.revision === op.value)).toBe(
      true,
    );
  });

  test('an info retires the process and its client; a fail does not', async () => {
    const { recorder, interpreter, opened, closed } = setUp(async (op) => {
      await sleep(clock, 5);
      if (op.value === 3) return { type: 'info', error: 'timed out' };
      if (op.value === 4) return { type: 'fail', error: 'refused' };
      return { type: 'ok', value: op.value };
    });
    await interpreter.run(paced, recorder.nowNs() + 1_000e6);
    const infos = recorder.history.filter((op) => op.type === 'info');
    expect(infos).toHaveLength(1);
    const retired = Number(infos[0]!.process);
    const after = recorder.history.slice(infos[0]!.index + 1);
    expect(after.some((op) => op.process === retired)).toBe(false);
    const next = after.find((op) => op.process === retired + 4)!;
    expect(next.time - infos[0]!.time).toBeGreaterThanOrEqual(500e6);
    const failed = recorder.history.find((op) => op.type === 'fail')!;
    expect(failed).toMatchObject({ value: 4, error: 'refused' });
    expect(
      recorder.history.slice(failed.index + 1).some((op) => op.process === failed.process),
    ).toBe(true);
    expect(opened).toHaveLength(5);
    expect(closed).toEqual([infos[0]!.node]);
    interpreter.close();
    expect(closed).toHaveLength(5);
  });

  test('a client that never returns is given up as info', async () => {
    const { recorder, interpreter } = setUp((op) =>
      op.value === 1
        ? new Promise(() => undefined)
        : sleep(clock, 1).then(() => ({ type: 'ok', value: op.value })),
    );
    await interpreter.run(paced, 50e6);
    const infos = recorder.history.filter((op) => op.type === 'info');
    expect(infos).toHaveLength(1);
    expect(infos[0]).toMatchObject({ value: 1, error: 'the client did not return' });
  });

  test('a client that rejects ends the run with its error', async () => {
    const { interpreter } = setUp(async (op) => {
      if (op.value === 5) throw new Error('a bug');
      return { type: 'ok', value: op.value };
    });
    await expect(interpreter.run(paced, 1e12)).rejects.toThrow('a bug');
  });

  test('ends when the generator is done or the signal aborts, and can go on', async () => {
    const { recorder, interpreter } = setUp(async (op) => {
      await sleep(clock, 1);
      return { type: 'ok', value: op.value };
    });
    const two = generator(() => ({
      type: 'op',
      op: { f: 'write', value: 1 },
      generator: generator(() => ({
        type: 'op',
        op: { f: 'write', value: 2 },
        generator: generator(() => ({ type: 'done' })),
      })),
    }));
    await interpreter.run(two, Number.POSITIVE_INFINITY);
    expect(recorder.history).toHaveLength(4);
    const aborting = new AbortController();
    const running = interpreter.run(paced, Number.POSITIVE_INFINITY, aborting.signal);
    await sleep(clock, 20);
    aborting.abort();
    await running;
    expect(pairHistory(recorder.history).ok).toBe(true);
    expect(recorder.history.length).toBeGreaterThan(8);
    expect(recorder.history.length % 2).toBe(0);
  });
});

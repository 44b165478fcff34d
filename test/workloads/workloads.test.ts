import { describe, expect, test } from 'vitest';
import type { Json } from '../../checkers/history/op.ts';
import { putRequest } from '../../src/client/requests.ts';
import { compose } from '../../workloads/compose.ts';
import { defaultWorkload } from '../../workloads/default-workload.ts';
import type { Pace } from '../../workloads/generator/pace.ts';
import { registerWorkload } from '../../workloads/register/register.ts';
import {
  REGISTER_OPTIONS,
  registerGenerator,
} from '../../workloads/register/register-generator.ts';
import { setWorkload } from '../../workloads/set/set.ts';
import { SET_OPTIONS, setFinalGenerator, setGenerator } from '../../workloads/set/set-generator.ts';
import type { Workload } from '../../workloads/workload.ts';
import { askAll } from './ask.ts';
import { FakeKv } from './fake-kv.ts';

const PACE: Pace = { meanNs: 1e6, gaps: 'uniform' };
const DEFINITE = { code: 14, message: 'etcdserver: no leader', definite: true };
const INDEFINITE = { code: 4, message: 'etcdserver: request timed out', definite: false };

function clientOf(workload: Workload) {
  const client = workload.openClient('http://127.0.0.1:1');
  return (f: string, value: Json) => client.invoke({ f, value }, 250);
}

describe('the register client', () => {
  test('reads, writes, swaps, and says what it met instead', async () => {
    const kv = new FakeKv();
    const invoke = clientOf(registerWorkload(kv.connect, PACE));
    const key = 'register/0';
    expect(await invoke('read', { key })).toMatchObject({
      type: 'ok',
      value: { key, value: null },
    });
    expect(await invoke('write', { key, value: 1 })).toEqual({
      type: 'ok',
      value: { key, value: 1 },
      revision: 2,
    });
    expect(await invoke('cas', { key, from: 1, to: 2 })).toEqual({
      type: 'ok',
      value: { key, from: 1, to: 2, swapped: true },
      revision: 3,
    });
    expect(await invoke('cas', { key, from: 1, to: 3 })).toEqual({
      type: 'ok',
      value: { key, from: 1, to: 3, swapped: false, value: 2 },
      revision: 3,
    });
    expect(await invoke('read', { key })).toMatchObject({ value: { key, value: 2 } });
    expect(new Set(kv.timeoutsMs)).toEqual(new Set([250]));
  });

  test('shows a value that nobody of ours writes as it is', async () => {
    const kv = new FakeKv();
    await kv.connect('').put(putRequest({ key: 'register/0', value: '1 torn' }), { timeoutMs: 1 });
    const invoke = clientOf(registerWorkload(kv.connect, PACE));
    expect(await invoke('read', { key: 'register/0' })).toMatchObject({
      value: { value: '1 torn' },
    });
  });

  test('reads always fail; writes are unknown unless the error is definite', async () => {
    const kv = new FakeKv();
    const invoke = clientOf(registerWorkload(kv.connect, PACE));
    const ops: readonly (readonly [string, Json])[] = [
      ['read', { key: 'x' }],
      ['write', { key: 'x', value: 1 }],
      ['cas', { key: 'x', from: 1, to: 2 }],
    ];
    kv.error = INDEFINITE;
    const unsure = await Promise.all(ops.map(([f, value]) => invoke(f, value)));
    expect(unsure.map(({ type }) => type)).toEqual(['fail', 'info', 'info']);
    expect(unsure[0]).toMatchObject({ error: 'etcdserver: request timed out (code 4)' });
    kv.error = DEFINITE;
    const sure = await Promise.all(ops.map(([f, value]) => invoke(f, value)));
    expect(sure.map(({ type }) => type)).toEqual(['fail', 'fail', 'fail']);
  });
});

describe('the set client', () => {
  test('adds and reads all', async () => {
    const kv = new FakeKv();
    const invoke = clientOf(setWorkload(kv.connect, PACE));
    expect(await invoke('add', { element: 3 })).toMatchObject({ type: 'ok', revision: 2 });
    await invoke('add', { element: 14 });
    expect(await invoke('set-read', {})).toMatchObject({
      type: 'ok',
      value: { elements: [14, 3] },
    });
    kv.error = INDEFINITE;
    expect(await invoke('add', { element: 5 })).toMatchObject({ type: 'info' });
    expect(await invoke('set-read', {})).toMatchObject({ type: 'fail' });
  });
});

describe('the register generator', () => {
  const asked = askAll(registerGenerator(), { opsMax: 6_000, concurrency: 7 });
  const fields = asked.map(({ op }) => op.value as { key: string; value?: number; to?: number });

  test('writes each value of a key once', () => {
    const written = asked.flatMap(({ op }, n) => {
      const value = op.f === 'write' ? fields[n]?.value : fields[n]?.to;
      return value === undefined ? [] : [`${fields[n]?.key} ${value}`];
    });
    expect(new Set(written).size).toBe(written.length);
    expect(written.length).toBeGreaterThan(2_000);
  });

  test('gives every key up after its share, with few in use at a time', () => {
    const opsByKey = new Map<string, number>();
    for (const { key } of fields) opsByKey.set(key, (opsByKey.get(key) ?? 0) + 1);
    expect(Math.max(...opsByKey.values())).toBe(REGISTER_OPTIONS.opsPerKey);
    expect(opsByKey.size).toBeGreaterThan(20);
    const window = new Set(fields.slice(1_000, 1_100).map(({ key }) => key));
    expect(window.size).toBeLessThanOrEqual(REGISTER_OPTIONS.keysActive + 2);
  });

  test('mixes functions, and the last threads only read', () => {
    const share = (f: string): number => asked.filter(({ op }) => op.f === f).length / 6_000;
    expect(share('read')).toBeGreaterThan(0.42);
    expect(share('read')).toBeLessThan(0.55);
    expect(share('write')).toBeGreaterThan(0.18);
    expect(share('cas')).toBeGreaterThan(0.22);
    const byReaders = asked.filter(({ thread }) => thread >= 4);
    expect(new Set(byReaders.map(({ op }) => op.f))).toEqual(new Set(['read']));
  });

  test('asks the same for the same seed, and otherwise not', () => {
    const again = (seed: number) => askAll(registerGenerator(), { opsMax: 50, seed });
    expect(again(5)).toEqual(again(5));
    expect(again(5)).not.toEqual(again(6));
  });
});

test('reads of the set end when it is large; its adds go on', () => {
  const options = { ...SET_OPTIONS, addsPerRead: 4, readElementsMax: 100 };
  const asked = askAll(setGenerator(options), { opsMax: 500 });
  const lastRead = asked.findLastIndex(({ op }) => op.f === 'set-read');
  const adds = asked.filter(({ op }) => op.f === 'add').map(({ op }) => op.value);
  expect(asked.slice(0, lastRead).filter(({ op }) => op.f === 'add').length).toBeLessThan(100);
  expect(asked.length - adds.length).toBeGreaterThan(10);
  expect(asked).toHaveLength(500);
  expect(adds).toEqual(adds.map((_, element) => ({ element })));
});

test('final reads of the set come from one thread for each member', () => {
  const options = { ...SET_OPTIONS, finalReadThreads: 3, finalReadsPerThread: 2 };
  const asked = askAll(setFinalGenerator(options), { concurrency: 10 });
  expect(asked.map(({ thread }) => thread).toSorted()).toEqual([0, 0, 1, 1, 2, 2]);
  expect(new Set(asked.map(({ op }) => op.f))).toEqual(new Set(['set-read']));
});

describe('composition', () => {
  test('shares threads out and tells operations apart by function', async () => {
    const kv = new FakeKv();
    const workload = defaultWorkload({
      connect: kv.connect,
      concurrency: 10,
      opsPerSecond: 400,
      memberCount: 3,
    });
    expect(workload.fs).toEqual(['read', 'write', 'cas', 'add', 'set-read']);
    expect(workload.checkers.map(({ name }) => name)).toEqual(['register', 'set', 'statistics']);
    const asked = askAll(workload.generator, { concurrency: 10, opsMax: 2_000 });
    const setThreads = asked.filter(({ op }) => /add|set-read/.test(op.f));
    expect(new Set(setThreads.map(({ thread }) => thread))).toEqual(new Set([7, 8, 9]));
    expect(asked.at(-1)!.timeNs / 1e9).toBeGreaterThan(4);
    expect(asked.at(-1)!.timeNs / 1e9).toBeLessThan(6);
  });

  test('opens a client when it is first needed, and closes what it opened', async () => {
    const kv = new FakeKv();
    const workload = compose('both', [
      { threads: 1, workload: registerWorkload(kv.connect, PACE) },
      { threads: 1, workload: setWorkload(kv.connect, PACE) },
    ]);
    const client = workload.openClient('http://127.0.0.1:1');
    expect(kv.opened).toBe(0);
    await client.invoke({ f: 'read', value: { key: 'x' } }, 100);
    await client.invoke({ f: 'read', value: { key: 'x' } }, 100);
    expect(kv.opened).toBe(1);
    await client.invoke({ f: 'set-read', value: {} }, 100);
    expect(kv.opened).toBe(2);
    client.close();
    expect(kv.closed).toBe(2);
  });

  test('refuses two workloads with one function', () => {
    const kv = new FakeKv();
    const share = { threads: 1, workload: setWorkload(kv.connect, PACE) };
    expect(() => compose('twice', [share, share])).toThrow('workloads of twice share a function');
  });
});

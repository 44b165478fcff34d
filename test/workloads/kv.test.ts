import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../checkers/history/guards.ts';
import { formatHistory, parseHistory } from '../../checkers/history/jsonl.ts';
import type { Json } from '../../checkers/history/op.ts';
import { Interpreter } from '../../harness/interpreter.ts';
import { Recorder } from '../../harness/recorder.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { Oracle } from '../../harness/sim/oracle/oracle.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { RequestOp } from '../../src/mvcc/request.ts';
import { isReadOnly, isSerializable } from '../../src/mvcc/txn.ts';
import { DEFAULT_SERVICE_LIMITS } from '../../src/service/limits.ts';
import {
  refuseDeleteRange,
  refusePut,
  refuseRange,
  refuseTxn,
} from '../../src/service/validate.ts';
import { limit } from '../../workloads/generator/bounds.ts';
import type { Pace } from '../../workloads/generator/pace.ts';
import { kvWorkload } from '../../workloads/kv/kv.ts';
import { KV_FS, KV_OPTIONS, kvGenerator } from '../../workloads/kv/kv-generator.ts';
import { deleteOf, putOf, rangeOf, txnOf } from '../../workloads/kv/kv-request.ts';
import type { KvClient } from '../../workloads/kv-client.ts';
import { VirtualClock } from '../harness/virtual-clock.ts';
import { entryOf } from '../sim/oracle/committed.ts';
import { askAll } from './ask.ts';
import { FakeKv } from './fake-kv.ts';

const PACE: Pace = { meanNs: 1e6, gaps: 'uniform' };
const SEEN = 40;

function refusalOf({ f, value }: { readonly f: string; readonly value: Json }) {
  switch (f) {
    case 'kv-put':
      return refusePut(putOf(value));
    case 'kv-delete':
      return refuseDeleteRange(deleteOf(value));
    case 'kv-range':
      return refuseRange(rangeOf(value, SEEN));
    default:
      return refuseTxn(txnOf(value, SEEN), DEFAULT_SERVICE_LIMITS);
  }
}

/** All steps of a transaction with what is nested in it. */
function stepsOf(ops: readonly RequestOp[]): readonly RequestOp[] {
  return ops.flatMap((op) =>
    op.type === 'txn' ? [op, ...stepsOf([...op.request.success, ...op.request.failure])] : [op],
  );
}

describe('the kv generator', () => {
  test('asks only for what the service accepts for its form, and in JSON', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 20 }), (seed, keys) => {
        const asked = askAll(kvGenerator({ ...KV_OPTIONS, keys }), { seed, opsMax: 60 });
        for (const { op } of asked) {
          expect(refusalOf(op)).toBeUndefined();
          expect(JSON.parse(JSON.stringify(op))).toEqual(op);
        }
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  const asked = askAll(kvGenerator(), { opsMax: 6_000, seed: 3 });
  const valuesOf = (f: string) =>
    asked.filter(({ op }) => op.f === f).map(({ op }) => fieldsOf(op.value)!);
  const txns = valuesOf('kv-txn').map((value) => txnOf(value as Json, SEEN));
  const steps = txns.flatMap((txn) => stepsOf([...txn.success, ...txn.failure]));

  test('puts every value once, and writes nothing that is not its own', () => {
    const puts = [
      ...valuesOf('kv-put').map((value) => putOf(value as Json)),
      ...steps.flatMap((step) => (step.type === 'put' ? [step.request] : [])),
    ];
    const values = puts.filter((put) => !put.ignoreValue).map((put) => utf8Decode(put.value));
    expect(new Set(values).size).toBe(values.length);
    expect(values.length).toBeGreaterThan(3_000);
    expect(new Set(puts.map((put) => utf8Decode(put.key))).size).toBe(KV_OPTIONS.keys);
    const deletes = [
      ...valuesOf('kv-delete').map((value) => deleteOf(value as Json)),
      ...steps.flatMap((step) => (step.type === 'deleteRange' ? [step.request] : [])),
    ];
    for (const { key, rangeEnd } of deletes) {
      expect(utf8Decode(key)).toMatch(/^kv\//);
      if (rangeEnd.length > 0) expect(utf8Decode(rangeEnd)).toMatch(/^kv[/0]/);
    }
  });

  test('asks for all there is', () => {
    expect(new Set(asked.map(({ op }) => op.f))).toEqual(new Set(KV_FS));
    const ranges = valuesOf('kv-range');
    const options = ['limit', 'revisionBack', 'sortOrder', 'serializable', 'keysOnly', 'countOnly'];
    const filters = ['minModBack', 'maxModBack', 'minCreateBack', 'maxCreateBack'];
    for (const name of ['rangeEnd', ...options, ...filters]) {
      expect(ranges.filter((fields) => fields[name] !== undefined).length).toBeGreaterThan(20);
    }
    expect(ranges.some((fields) => fields.rangeEnd === '\0')).toBe(true);
    const targets = txns.flatMap((txn) => txn.compare.map(({ target }) => target));
    expect(new Set(targets)).toEqual(new Set(['value', 'version', 'create', 'mod']));
    expect(txns.filter(isReadOnly).length).toBeGreaterThan(100);
    expect(txns.filter(isSerializable).length).toBeGreaterThan(50);
    expect(txns.flatMap((txn) => txn.compare).some(({ rangeEnd }) => rangeEnd.length > 0)).toBe(
      true,
    );
    for (const type of ['put', 'deleteRange', 'range', 'txn'] as const) {
      expect(steps.filter((step) => step.type === type).length).toBeGreaterThan(100);
    }
  });

  test('asks the same for the same seed, and otherwise not', () => {
    const again = (seed: number) => askAll(kvGenerator(), { opsMax: 50, seed });
    expect(again(5)).toEqual(again(5));
    expect(again(5)).not.toEqual(again(6));
  });
});

describe('requests from JSON', () => {
  test('mean revisions by what the client has seen', () => {
    const value = { key: 'a', revisionBack: 3, minModBack: 100, maxModBack: -2 };
    expect(rangeOf(value, 10)).toMatchObject({
      revision: 7,
      minModRevision: 1,
      maxModRevision: 12,
      minCreateRevision: 0,
    });
    expect(rangeOf(value, 0)).toMatchObject({ revision: 0, minModRevision: 0, maxModRevision: 0 });
    const compare = [{ target: 'mod', key: 'a', result: 'less', operandBack: 1 }];
    expect(txnOf({ compare }, 5).compare).toMatchObject([{ target: 'mod', operand: 4 }]);
  });

  test.each<readonly [string, () => unknown]>([
    ['no request: null', () => putOf(null)],
    ['key is not a text', () => putOf({ value: '1' })],
    ['limit is not a number', () => rangeOf({ key: 'a', limit: 'x' }, 1)],
    ['sortOrder is none of none ascend descend', () => rangeOf({ key: 'a', sortOrder: 'up' }, 1)],
    ['success is not a list', () => txnOf({ success: 1 }, 1)],
    ['an operation of a transaction is none: get', () => txnOf({ success: [{ op: 'get' }] }, 1)],
    [
      'a guard compares no lease',
      () => txnOf({ compare: [{ target: 'lease', key: 'a', result: 'equal' }] }, 1),
    ],
  ])('refuse: %s', (message, build) => {
    expect(build).toThrow(message);
  });
});

describe('the kv client', () => {
  const DEFINITE = { code: 14, message: 'etcdserver: no leader', definite: true };
  const INDEFINITE = { code: 4, message: 'etcdserver: request timed out', definite: false };

  function clientOf(kv: FakeKv) {
    const client = kvWorkload(kv.connect, PACE).openClient('http://127.0.0.1:1');
    return (f: string, value: Json) => client.invoke({ f, value }, 250);
  }

  test('tells what came back beside what was asked', async () => {
    const kv = new FakeKv();
    const invoke = clientOf(kv);
    const put = { key: 'kv/a/0', value: '1', prevKv: true };
    expect(await invoke('kv-put', put)).toEqual({ type: 'ok', value: put, revision: 2 });
    expect(await invoke('kv-put', { ...put, value: '2' })).toEqual({
      type: 'ok',
      value: { ...put, value: '2', previous: '1' },
      revision: 3,
    });
    expect(await invoke('kv-range', { key: 'kv/a/0', revisionBack: 1 })).toEqual({
      type: 'ok',
      value: { key: 'kv/a/0', revisionBack: 1, count: 1, shown: 1, at: 2 },
      revision: 3,
    });
    const success: Json = [
      { op: 'range', key: 'kv/', rangeEnd: 'kv0', countOnly: true },
      { op: 'txn', success: [{ op: 'delete', key: 'kv/a/0' }] },
      { op: 'put', key: 'kv/b/0', value: '3' },
    ];
    expect(await invoke('kv-txn', { success })).toEqual({
      type: 'ok',
      value: {
        success,
        succeeded: true,
        wrote: true,
        responses: [{ count: 1, shown: 0 }, { succeeded: true, responses: [{ deleted: 1 }] }, {}],
      },
      revision: 4,
    });
    expect(await invoke('kv-delete', { key: 'kv/a/0' })).toEqual({
      type: 'ok',
      value: { key: 'kv/a/0', deleted: 0 },
      revision: 4,
    });
    const nothing = { success: [{ op: 'delete', key: 'kv/a/0' }] };
    expect(await invoke('kv-txn', nothing)).toMatchObject({ value: { wrote: false } });
  });

  test('reads always fail; what may have written is unknown unless the error is definite', async () => {
    const kv = new FakeKv();
    const invoke = clientOf(kv);
    const ops: readonly (readonly [string, Json])[] = [
      ['kv-range', { key: 'x' }],
      ['kv-txn', { success: [{ op: 'range', key: 'x' }] }],
      ['kv-txn', { success: [{ op: 'put', key: 'x', value: '1' }] }],
      ['kv-put', { key: 'x', value: '2' }],
      ['kv-delete', { key: 'x' }],
    ];
    const typesFor = async (error: typeof DEFINITE) => {
      kv.error = error;
      return (await Promise.all(ops.map(([f, value]) => invoke(f, value)))).map(({ type }) => type);
    };
    expect(await typesFor(INDEFINITE)).toEqual(['fail', 'fail', 'info', 'info', 'info']);
    expect(await typesFor(DEFINITE)).toEqual(['fail', 'fail', 'fail', 'fail', 'fail']);
    kv.error = undefined;
    expect(await invoke('kv-put', { key: 'x', ignoreValue: true })).toMatchObject({
      type: 'fail',
      error: 'etcdserver: key not found (code 3)',
    });
  });
});

/** The client of a store beside which an oracle gets all that is written, and judges. */
function judged(kv: FakeKv, oracle: Oracle, complaints: string[]): KvClient {
  const inner = kv.connect('');
  const note = (complaint: string | undefined) => {
    if (complaint !== undefined) complaints.push(complaint);
  };
  const next = () => oracle.committed + 1;
  const given = <Value>(answer: { header: { revision: number }; result: Value }) => ({
    revision: answer.header.revision,
    result: answer.result,
  });
  return {
    ...inner,
    range: async (request, options) => {
      const reply = await inner.range(request, options);
      if (reply.ok) note(oracle.compareRange(request, given(reply.value)));
      return reply;
    },
    put: async (request, options) => {
      note(oracle.commit(entryOf(next(), { type: 'put', request })).repeated);
      const reply = await inner.put(request, options);
      if (reply.ok) note(oracle.comparePut(request, given(reply.value)));
      return reply;
    },
    deleteRange: async (request, options) => {
      note(oracle.commit(entryOf(next(), { type: 'deleteRange', request })).repeated);
      const reply = await inner.deleteRange(request, options);
      if (reply.ok) note(oracle.compareDeleteRange(request, given(reply.value)));
      return reply;
    },
    txn: async (request, options) => {
      if (!isReadOnly(request))
        note(oracle.commit(entryOf(next(), { type: 'txn', request })).repeated);
      const reply = await inner.txn(request, options);
      if (reply.ok) note(oracle.compareTxn(request, given(reply.value)));
      return reply;
    },
  };
}

test('a run over a sound store satisfies oracle and checker, and survives its file', async () => {
  const kv = new FakeKv();
  const oracle = new Oracle();
  const complaints: string[] = [];
  const workload = kvWorkload(() => judged(kv, oracle, complaints), PACE);
  const clock = new VirtualClock();
  const recorder = new Recorder(clock, () => undefined);
  const interpreter = new Interpreter({
    workload,
    nodes: [{ name: 'n1', clientUrl: 'n1' }],
    concurrency: 4,
    opTimeoutMs: 100,
    random: seededRandom(1),
    clock,
    recorder,
  });
  await interpreter.run(limit(2_000, workload.generator), Number.POSITIVE_INFINITY);
  interpreter.close();
  expect(complaints).toEqual([]);
  expect(oracle.compareStore(oracle.committed, kv.store)).toBeUndefined();
  const { history } = recorder;
  const oks = history.filter((op) => op.type === 'ok');
  expect(oks.length).toBeGreaterThan(1_500);
  expect(kv.store.revision).toBeGreaterThan(800);
  expect(workload.checkers[0]!.check(history)).toMatchObject({ validity: 'valid' });
  expect(parseHistory(formatHistory(history))).toEqual({ ok: true, value: history });
  const branches = oks.flatMap(({ value }) => fieldsOf(value)?.succeeded ?? []);
  const taken = branches.filter(Boolean).length / branches.length;
  expect(taken).toBeGreaterThan(0.15);
  expect(taken).toBeLessThan(0.85);
});

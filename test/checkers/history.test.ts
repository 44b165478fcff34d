import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHistory, parseHistory, parseOp } from '../../checkers/history/jsonl.ts';
import type { Op } from '../../checkers/history/op.ts';
import { operationsOf, pairHistory } from '../../checkers/history/pairing.ts';
import { historyOf } from './history-of.ts';

describe('pairing', () => {
  test('joins each invocation with the completion of its process', () => {
    const history = historyOf(
      [0, 'invoke', 'read', {}],
      [1, 'invoke', 'write', {}],
      ['nemesis', 'info', 'kill', null],
      [0, 'ok', 'read', {}],
      ['nemesis', 'info', 'kill', null],
      [0, 'invoke', 'read', {}],
      [1, 'info', 'write', {}],
    );
    const paired = pairHistory(history);
    expect(paired).toMatchObject({
      ok: true,
      value: [
        { process: 0, f: 'read', invoke: { index: 0 }, completion: { index: 3 } },
        { process: 1, f: 'write', invoke: { index: 1 }, completion: { index: 6 } },
        { process: 0, f: 'read', invoke: { index: 5 }, completion: undefined },
      ],
    });
  });

  test('selects by function', () => {
    const history = historyOf([0, 'invoke', 'read', {}], [1, 'invoke', 'write', {}]);
    const selected = operationsOf(history, ['write']);
    expect(selected.ok && selected.value.map((operation) => operation.f)).toEqual(['write']);
  });

  const refusals: readonly (readonly [string, readonly Op[], string])[] = [
    [
      'op 1: process 0 invokes while busy',
      historyOf([0, 'invoke', 'read', {}], [0, 'invoke', 'read', {}]),
      'a second invocation',
    ],
    [
      'op 0: process 3 completes what it did not invoke',
      historyOf([3, 'ok', 'read', {}]),
      'a completion of nothing',
    ],
    [
      'op 1: process 0 invoked read and completes write',
      historyOf([0, 'invoke', 'read', {}], [0, 'ok', 'write', {}]),
      'a completion of something else',
    ],
    [
      'op 2: process 0 retired after an info',
      historyOf([0, 'invoke', 'read', {}], [0, 'info', 'read', {}], [0, 'invoke', 'read', {}]),
      'a retired process',
    ],
    [
      'op 1: time goes backward from 9000 to 1000 ns',
      historyOf([0, 'invoke', 'read', {}, { time: 9_000 }], [0, 'ok', 'read', {}]),
      'time that goes backward',
    ],
    [
      'op 0: follows op 0',
      historyOf([0, 'invoke', 'read', {}], [0, 'ok', 'read', {}, { index: 0 }]),
      'an index that comes twice',
    ],
    [
      'op 1: follows op 5',
      historyOf(['nemesis', 'info', 'kill', null, { index: 5 }], [0, 'invoke', 'read', {}]),
      'an op of the nemesis that is out of place',
    ],
  ];
  test.each(refusals)('refuses with "%s"', (expected, history) => {
    const paired = pairHistory(history);
    expect(paired.ok ? 'paired' : `${paired.error.place}: ${paired.error.reason}`).toBe(expected);
  });

  test('refuses a type that the file should not have had', () => {
    const [op] = historyOf([0, 'invoke', 'read', {}]);
    const strange = JSON.parse(JSON.stringify({ ...op, type: 'maybe' }));
    expect(pairHistory([strange])).toMatchObject({ error: { reason: 'unknown type "maybe"' } });
  });
});

describe('the file of a history', () => {
  const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
  const ops: fc.Arbitrary<Op[]> = fc
    .array(
      fc.record(
        {
          time: fc.nat(),
          process: fc.oneof(fc.nat(), fc.constant<'nemesis'>('nemesis')),
          type: fc.constantFrom<Op['type'][]>('invoke', 'ok', 'fail', 'info'),
          f: fc.string({ minLength: 1 }),
          value: json,
          node: fc.string(),
          error: fc.string(),
          revision: fc.nat(),
        },
        { requiredKeys: ['time', 'process', 'type', 'f', 'value'] },
      ),
    )
    .map((entries) => entries.map((entry, index) => ({ index, ...entry })));

  test('gives back what was written', () => {
    fc.assert(
      fc.property(ops, (history) => {
        expect(parseHistory(formatHistory(history))).toEqual({ ok: true, value: history });
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('names the line that is wrong', () => {
    const text = formatHistory(historyOf([0, 'invoke', 'read', {}], [0, 'ok', 'read', {}]));
    const errorOf = (broken: string): string => {
      const parsed = parseHistory(broken);
      return parsed.ok ? 'parsed' : `${parsed.error.place}: ${parsed.error.reason}`;
    };
    expect(errorOf(text.replace('"ok"', '"okay"'))).toBe(
      'line 2: field type: not invoke, ok, fail or info',
    );
    expect(errorOf(text.slice(0, -5))).toBe('line 2: not JSON');
    expect(errorOf(`${text}\n`)).toBe('line 3: not JSON');
    expect(errorOf(text + text)).toBe('line 3: field index: 0 where 2 was due');
    expect(errorOf('[1]\n')).toBe('line 1: not a JSON object');
    const [, ...headless] = text.split('\n');
    expect(errorOf(headless.join('\n'))).toBe('line 1: field index: 1 where 0 was due');
  });

  test('refuses a number that JSON can write and no file can give back', () => {
    const [op] = historyOf([0, 'invoke', 'write', { deep: ['here'] }]);
    const parsed = parseOp(JSON.stringify(op).replace('"here"', '1e999'));
    expect(parsed).toEqual({ ok: false, error: 'field value: missing' });
  });

  test.each([
    ['index', -1],
    ['time', 0.5],
    ['process', 'client'],
    ['f', ''],
    ['value', undefined],
    ['node', 3],
    ['error', {}],
    ['revision', '7'],
  ])('refuses a wrong %s', (field, value) => {
    const [op] = historyOf([0, 'invoke', 'read', {}]);
    const parsed = parseOp(JSON.stringify({ ...op, [field]: value }));
    expect(parsed.ok ? 'parsed' : parsed.error).toContain(`field ${field}: `);
  });
});

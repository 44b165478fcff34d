import { describe, expect, test } from 'vitest';
import { NO_OBSERVER } from '../../src/api/call-observer.ts';
import { putRequest } from '../../src/client/requests.ts';
import type { Entry } from '../../src/raft/message.ts';
import { LineLimit } from '../../src/server/line-limit.ts';
import { SlowApplies, warnOfSlowCalls } from '../../src/server/slow-warnings.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { SILENT_LOG } from '../api/api-fixture.ts';
import { SeenCalls } from '../api/grpc-fixture.ts';

/** Time that the test sets, and the lines with their fields. */
function watched() {
  const time = { ms: 0 };
  const lines: [string, object][] = [];
  return {
    time,
    lines,
    clock: { nowNs: () => time.ms * 1e6 },
    log: { ...SILENT_LOG, warn: (text: string, fields = {}) => lines.push([text, fields]) },
  };
}

const CALL = { method: '/p.S/M', code: 0, sentBytes: 7, receivedBytes: 9, startedNs: 0 } as const;

describe('slow calls', () => {
  test('are told of with size and duration; quick ones and streams are not', () => {
    const { time, lines, clock, log } = watched();
    const seen = new SeenCalls();
    const observer = warnOfSlowCalls(seen, { clock, log, limitMs: 300 });
    time.ms = 300;
    observer.handled({ ...CALL, type: 'unary' });
    time.ms = 301.5;
    observer.handled({ ...CALL, type: 'bidi_stream' });
    expect(lines).toEqual([]);
    observer.handled({ ...CALL, type: 'unary', code: 14 });
    const fields = {
      ...{ method: '/p.S/M', code: 14, receivedBytes: 9, sentBytes: 7 },
      ...{ tookMs: 301.5, limitMs: 300, unreported: 0 },
    };
    expect(lines).toEqual([['a request took too long', fields]]);
    observer.started({ method: 'a', type: 'unary', clientApiVersion: '' });
    observer.transferred(1, 2);
    expect([seen.handledCalls.length, seen.startedCalls.length]).toEqual([3, 1]);
    expect([seen.sentBytes, seen.receivedBytes]).toEqual([1, 2]);
  });

  test('a flood of them is told of in a few lines, and counted', () => {
    const { time, lines, clock, log } = watched();
    const observer = warnOfSlowCalls(NO_OBSERVER, { clock, log, limitMs: 1 });
    time.ms = 10_000;
    for (let i = 0; i < 500; i++) observer.handled({ ...CALL, type: 'unary' });
    expect(lines).toHaveLength(10);
    time.ms += 1_000;
    observer.handled({ ...CALL, type: 'unary' });
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)![1]).toMatchObject({ unreported: 490 });
  });
});

describe('slow applies', () => {
  const request = putRequest({ key: 'k', value: 'v' });
  const data = encodeLoggedRequest({ id: 1n, request: { type: 'put', request } });
  const entry = (index: number, changes: Partial<Entry> = {}): Entry => {
    return { type: 'normal', term: 1, index, data, ...changes };
  };

  test('each entry is measured from the end of the one before', () => {
    const { time, lines, clock, log } = watched();
    let slow = 0;
    const onSlow = (): void => {
      slow += 1;
    };
    const meter = new SlowApplies({ clock, log, limitMs: 100, onSlow });
    time.ms = 5_000;
    meter.begin();
    for (const [index, tookMs] of [100, 60, 60, 101, 99].entries()) {
      time.ms += tookMs;
      meter.applied(entry(index));
    }
    const common = { limitMs: 100, unreported: 0 };
    const first = { request: 'put', index: 3, sizeBytes: data.length, tookMs: 101, ...common };
    expect(lines).toEqual([['applying a request took too long', first]]);
    time.ms += 50_000;
    meter.begin();
    time.ms += 200;
    meter.applied(entry(6, { type: 'confChange' }));
    time.ms += 200;
    meter.applied(entry(7, { data: new Uint8Array(0) }));
    expect(lines.slice(1).map(([, fields]) => fields)).toMatchObject([
      { request: 'confChange', index: 6 },
      { request: 'normal', index: 7, sizeBytes: 0 },
    ]);
    expect(slow).toBe(3);
  });
});

test('ten lines a second pass, in any second', () => {
  const { time, clock } = watched();
  const limit = new LineLimit(clock);
  const take = (count: number) => Array.from({ length: count }, () => limit.take());
  expect(take(12)).toEqual([...Array(10).fill(0), undefined, undefined]);
  time.ms = 999;
  expect(take(1)).toEqual([undefined]);
  time.ms = 1_000;
  expect(take(2)).toEqual([3, 0]);
});

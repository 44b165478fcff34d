/** What is seen in answers while they come. */
import { describe, expect, test } from 'vitest';
import { AccessAudit, touchedBy, touchedByOp } from '../../harness/explore/access-audit.ts';
import { crashesIn, endOf } from '../../harness/explore/log-check.ts';
import { WatchAudit } from '../../harness/explore/watch-audit.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { TxnRequest, TxnResult } from '../../src/mvcc/request.ts';
import type { WatchCreateRequest, WatchEvent, WatchResult } from '../../src/mvcc/watch-request.ts';

const bytes = utf8Encode;

function answer(fields: Partial<WatchResult>): WatchResult {
  return {
    ...{ watchId: 0, created: false, canceled: false, compactRevision: 0, cancelReason: '' },
    ...{ fragment: false, events: [], ...fields },
  };
}

function put(key: string, at: number): WatchEvent {
  const kv = {
    ...{ key: bytes(key), value: EMPTY_BYTES, createRevision: at, modRevision: at },
    ...{ version: 1, lease: 0n },
  };
  return { type: 'put', kv, prevKv: undefined };
}

function watching(startRevision: number, revision = 10): WatchAudit {
  const audit = new WatchAudit();
  const request: WatchCreateRequest = {
    ...{ key: bytes('a'), rangeEnd: EMPTY_BYTES, startRevision, progressNotify: false },
    ...{ filters: [], prevKv: false, watchId: 0, fragment: false },
  };
  audit.created(request);
  expect(audit.told(revision, answer({ created: true }))).toBeUndefined();
  return audit;
}

describe('a watch stream', () => {
  test('in order, in pieces, with progress: nothing to say', () => {
    const audit = watching(5);
    expect(audit.told(10, answer({ events: [put('a', 5), put('a', 7)] }))).toBeUndefined();
    expect(audit.told(10, answer({ events: [put('b', 7)] }))).toBeUndefined();
    expect(audit.told(10, answer({ watchId: -1 }))).toBeUndefined();
    expect(audit.told(12, answer({ events: [put('a', 11)] }))).toBeUndefined();
  });

  test('back in time, and twice', () => {
    const back = watching(5);
    back.told(10, answer({ events: [put('a', 9)] }));
    expect(back.told(10, answer({ events: [put('a', 8)] }))?.checker).toBe('watch order');
    const twice = watching(5);
    twice.told(10, answer({ events: [put('a', 9)] }));
    expect(twice.told(10, answer({ events: [put('a', 9)] }))?.checker).toBe('watch order');
  });

  test('older than what was asked for', () => {
    expect(watching(0).told(11, answer({ events: [put('a', 10)] }))?.checker).toBe('watch from');
    expect(watching(9).told(11, answer({ events: [put('a', 8)] }))?.checker).toBe('watch from');
  });

  test('progress that was told too early; not of watchers made after it', () => {
    const audit = watching(5);
    audit.told(20, answer({ watchId: -1 }));
    expect(audit.told(20, answer({ events: [put('a', 9)] }))?.checker).toBe('watch progress');
    const other = new WatchAudit();
    other.told(20, answer({ watchId: -1 }));
    expect(other.told(20, answer({ watchId: 3, events: [put('a', 9)] }))).toBeUndefined();
  });
});

describe('access', () => {
  const audit = new AccessAudit();
  audit.asked({ type: 'grantRole', user: 'eve', role: 'own' });
  const own = { key: bytes('own/'), rangeEnd: bytes('own0') };
  audit.asked({ type: 'grant', role: 'own', permission: 'readWrite', ...own });
  const secret = putRequest({ key: 'secret', value: 'x' });
  const read = rangeRequest({ key: 'own/a' });
  const inside = (success: TxnRequest['success']): TxnRequest => ({
    ...{ compare: [], failure: [], success },
  });
  const wrote: TxnResult['responses'][number] = { type: 'put', result: { prevKv: undefined } };

  test('only counts once it is on for good', () => {
    expect(audit.isOn).toBe(false);
    audit.done({ type: 'enable' });
    expect(audit.isOn).toBe(true);
  });

  test('what was granted, and what nobody granted', () => {
    expect(audit.denied('eve', touchedByOp({ type: 'range', request: read }))).toBeUndefined();
    const denied = audit.denied('eve', touchedByOp({ type: 'put', request: secret }));
    expect(denied).toBe('a write of secret, which nobody had granted to eve');
    expect(audit.denied('root', touchedByOp({ type: 'put', request: secret }))).toBeUndefined();
  });

  test('however deep, and only in the branch that was taken', () => {
    const txn = inside([{ type: 'txn', request: inside([{ type: 'put', request: secret }]) }]);
    const taken: TxnResult = {
      succeeded: true,
      responses: [{ type: 'txn', result: { succeeded: true, responses: [wrote] } }],
    };
    expect(audit.denied('eve', touchedBy(txn, taken))).toContain('a write of secret');
    const other = { ...taken, succeeded: false, responses: [] };
    expect(audit.denied('eve', touchedBy(txn, other))).toBeUndefined();
  });
});

describe('logs', () => {
  test('a panic of Go, once however often it comes', () => {
    const log =
      'starting\npanic: oh no [recovered]\n\ngoroutine 1 [running]:\npanic: oh no [recovered]';
    expect(crashesIn('n1', log, '; kill')).toEqual([
      { checker: 'crash', sentence: 'panic: oh no [recovered] (n1; kill)' },
    ]);
  });

  test('an exception of Node that nobody caught', () => {
    const log = 'Error: oh no\n    at run (file:///a/b.ts:3:5)\n';
    expect(crashesIn('n2', log, '')).toEqual([{ checker: 'crash', sentence: 'Error: oh no (n2)' }]);
    expect(crashesIn('n2', 'all is well\n', '')).toEqual([]);
  });

  test('who ends says which file and what to do', () => {
    expect(endOf('n1', '/x/member/wal/0.wal: damaged; restore the member\n')).toBeUndefined();
    const bare = '2026-11-22 02:17:38.085420 C | etcdmain: walpb: crc mismatch\n';
    expect(endOf('n1', bare)?.sentence).toBe(
      'it ended and says only: etcdmain: walpb: crc mismatch (n1)',
    );
    expect(endOf('n1', 'all is well\n')?.sentence).toContain('without a word');
    // Told as a crash already.
    expect(endOf('n1', 'panic: crc mismatch\n')).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { Oracle } from '../../../harness/sim/oracle/oracle.ts';
import { WatchAudit } from '../../../harness/sim/oracle/watch-audit.ts';
import { deleteRangeRequest, putRequest } from '../../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import { utf8Encode } from '../../../src/lib/utf8.ts';
import type {
  WatchCreateRequest,
  WatchEvent,
  WatchResult,
} from '../../../src/mvcc/watch-request.ts';
import type { WatchResponse } from '../../../src/service/watch.ts';
import { entryOf } from './committed.ts';

const NOTHING: WatchResult = {
  watchId: 0,
  created: false,
  canceled: false,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
  events: [],
};

function response(revision: number, parts: Partial<WatchResult>): WatchResponse {
  const header = { clusterId: 1n, memberId: 1n, revision, raftTerm: 1 };
  return { header, result: { ...NOTHING, ...parts } };
}

/** Puts of a at 2 and 4, of b at 3; a is deleted at 5. */
function written(): Oracle {
  const oracle = new Oracle();
  for (const [at, key] of ['a', 'b', 'a'].entries()) {
    const request = putRequest({ key, value: String(at) });
    oracle.commit(entryOf(at + 1, { type: 'put', request }));
  }
  oracle.commit(entryOf(4, { type: 'deleteRange', request: deleteRangeRequest({ key: 'a' }) }));
  return oracle;
}

/** Of a key and all after it, from revision 2 on. */
const WANTED: WatchCreateRequest = {
  key: utf8Encode('a'),
  rangeEnd: Uint8Array.of(0),
  startRevision: 2,
  progressNotify: false,
  filters: [],
  prevKv: false,
  watchId: 0,
  fragment: false,
};

function watching(oracle: Oracle, parts: Partial<WatchCreateRequest> = {}): WatchAudit {
  const audit = new WatchAudit(oracle);
  audit.asked({ type: 'create', request: { ...WANTED, ...parts } });
  expect(audit.sent(response(1, { created: true }))).toBeUndefined();
  return audit;
}

function eventsOf(oracle: Oracle, after: number, upTo: number): WatchEvent[] {
  return oracle.changes(utf8Encode('a'), Uint8Array.of(0), after, upTo).map(({ key, kv, main }) =>
    kv !== undefined
      ? { type: 'put', kv, prevKv: undefined }
      : {
          type: 'delete',
          kv: {
            key,
            createRevision: 0,
            modRevision: main,
            version: 0,
            value: EMPTY_BYTES,
            lease: 0n,
          },
          prevKv: undefined,
        },
  );
}

describe('a watcher', () => {
  test('that is told of everything once is fine, in one go, one by one, or in pieces', () => {
    const oracle = written();
    const all = eventsOf(oracle, 1, 5);
    expect(all).toHaveLength(4);
    expect(watching(oracle).sent(response(5, { events: all }))).toBeUndefined();
    const single = watching(oracle);
    for (const [at, event] of all.entries()) {
      expect(single.sent(response(at + 2, { events: [event] }))).toBeUndefined();
    }
    expect(single.lacking(5)).toBeUndefined();
    const pieces = watching(oracle, { fragment: true });
    const first = response(5, { events: all.slice(0, 1), fragment: true });
    expect(pieces.sent(first)).toBeUndefined();
    expect(pieces.sent(response(5, { events: all.slice(1) }))).toBeUndefined();
  });

  test.each([
    ['an event is left out', (all: WatchEvent[]) => all.toSpliced(1, 1)],
    ['an event comes twice', (all: WatchEvent[]) => [all[0]!, ...all]],
    ['events change places', (all: WatchEvent[]) => [all[1]!, all[0]!, ...all.slice(2)]],
    ['the last is missing', (all: WatchEvent[]) => all.slice(0, -1)],
    [
      'a value is another',
      (all: WatchEvent[]) => [{ ...all[0]!, kv: all[1]!.kv }, ...all.slice(1)],
    ],
  ])('is found wronged when %s', (_, change) => {
    const oracle = written();
    const events = change(eventsOf(oracle, 1, 5));
    expect(watching(oracle).sent(response(5, { events }))).toContain('told up to 1, now up to 5');
  });

  test('must be told before progress says so', () => {
    const oracle = written();
    const audit = watching(oracle);
    expect(audit.sent(response(2, { events: eventsOf(oracle, 1, 2) }))).toBeUndefined();
    expect(audit.sent(response(5, { watchId: -1 }))).toContain('progress');
    expect(
      watching(oracle, { filters: ['noPut', 'noDelete'] }).sent(response(5, {})),
    ).toBeUndefined();
  });

  test('is told nothing once it was cancelled, and nothing that is not committed', () => {
    const oracle = written();
    const audit = watching(oracle);
    expect(audit.sent(response(6, {}))).toContain('which is not committed');
    expect(audit.sent(response(5, { canceled: true }))).toBeUndefined();
    expect(audit.sent(response(5, {}))).toContain('is not there');
    expect(new WatchAudit(oracle).sent(response(5, { created: true }))).toContain('nobody asked');
  });

  test('ends by a compaction only if it still wanted what is gone', () => {
    const oracle = written();
    expect(watching(oracle).sent(response(0, { canceled: true, compactRevision: 4 }))).toContain(
      'never was',
    );
    oracle.commit(entryOf(5, { type: 'compaction', revision: 4, physical: false }));
    const behind = watching(oracle);
    expect(behind.sent(response(0, { canceled: true, compactRevision: 4 }))).toBeUndefined();
    const ahead = watching(oracle, { startRevision: 4 });
    expect(ahead.sent(response(0, { canceled: true, compactRevision: 4 }))).toContain(
      'told up to 3',
    );
  });

  test('of whom its member said that it is not behind does not end by what came before', () => {
    const compacted = (revision: number): Oracle => {
      const oracle = written();
      oracle.commit(entryOf(5, { type: 'compaction', revision, physical: false }));
      return oracle;
    };
    const end = (oracle: Oracle, caughtUp: number): string | undefined => {
      const idle = watching(oracle, { key: utf8Encode('z'), rangeEnd: EMPTY_BYTES });
      if (caughtUp > 0) idle.caughtUp(caughtUp);
      return idle.sent(response(0, { canceled: true, compactRevision: 5 }));
    };
    expect(end(compacted(5), 0)).toBeUndefined();
    expect(end(compacted(5), 3)).toBeUndefined();
    expect(end(compacted(5), 4)).toContain('was told up to 4');
    const lied = watching(compacted(5));
    lied.caughtUp(4);
    expect(lied.sent(response(0, { canceled: true, compactRevision: 5 }))).toContain('not behind');
    const later = new WatchAudit(compacted(5));
    later.caughtUp(5);
    later.asked({ type: 'create', request: WANTED });
    expect(later.sent(response(1, { created: true }))).toBeUndefined();
    expect(later.sent(response(0, { canceled: true, compactRevision: 5 }))).toBeUndefined();
  });

  test('lacks what it was not told', () => {
    const oracle = written();
    expect(watching(oracle).lacking(5)).toContain('was not told');
    expect(watching(oracle).lacking(1)).toBeUndefined();
    expect(watching(oracle, { startRevision: 9 }).lacking(5)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import { RECORD_TYPE, type RecordType, type WalRecord } from '../../src/wal/frame.ts';
import { LogReplay } from '../../src/wal/replay.ts';
import type { WalProblem } from '../../src/wal/wal-error.ts';
import {
  encodeHardState,
  encodeSnapshotRecord,
  encodeWalMetadata,
  writeEntry,
} from '../../src/wire/raft-records.ts';
import { FieldWriter } from '../../src/wire/record-fields.ts';
import { entries, entry, hardState, METADATA } from './wal-fixture.ts';

const CONF_STATE = simpleConf([1n, 2n, 3n], [4n]);

describe('entries', () => {
  test('replace everything at and behind their index', () => {
    const replay = replayOf(entries(1, 5, 1).map(entryRecord));
    expect(replay.add(entryRecord(entry(3, 2)))).toBeUndefined();
    expect(idsOf(replay)).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
    expect(replay.add(entryRecord(entry(1, 3)))).toBeUndefined();
    expect(idsOf(replay)).toEqual([[1, 3]]);
  });

  test('may begin at the oldest segment, or before it when they replace released ones', () => {
    expect(idsOf(replayOf(entries(8, 9).map(entryRecord), 8))).toEqual([
      [8, 1],
      [9, 1],
    ]);
    expect(idsOf(replayOf(entries(6, 7).map(entryRecord), 8))).toEqual([
      [6, 1],
      [7, 1],
    ]);
  });

  test('leave no gap', () => {
    const replay = replayOf(entries(1, 2).map(entryRecord));
    expect(replay.add(entryRecord(entry(4)))).toEqual({
      kind: 'gap',
      reason: 'entry 4 follows entry 2',
    });
    expect(replayOf([], 8).add(entryRecord(entry(9)))?.kind).toBe('gap');
  });
});

test('terms never fall along the log', () => {
  const replay = replayOf([entryRecord(entry(1, 3))]);
  expect(replay.add(entryRecord(entry(2, 2)))?.kind).toBe('corrupt');
});

describe('a snapshot', () => {
  test('whose entry the log holds is a checkpoint of this member: the log stays', () => {
    const replay = replayOf([...entries(1, 5, 2).map(entryRecord), snapshotRecord(3, 2)]);
    expect(idsOf(replay).length).toBe(5);
    expect(finish(replay).snapshots).toEqual([{ index: 3, term: 2, confState: CONF_STATE }]);
  });

  test('ahead of the log supersedes it, and entries go on behind it', () => {
    const records = [...entries(1, 5, 2).map(entryRecord), snapshotRecord(9, 3)];
    const replay = replayOf(records);
    expect(idsOf(replay)).toEqual([]);
    expect(finish(replay).lastIndex).toBe(9);
    expect(replay.add(entryRecord(entry(11, 3)))?.kind).toBe('gap');
    expect(replay.add(entryRecord(entry(10, 3)))).toBeUndefined();
    expect(idsOf(replay)).toEqual([[10, 3]]);
  });

  test('of another term than the entry at its index supersedes the log', () => {
    const replay = replayOf([...entries(1, 5, 2).map(entryRecord), snapshotRecord(4, 3)]);
    expect(idsOf(replay)).toEqual([]);
    expect(replay.add(entryRecord(entry(5, 3)))).toBeUndefined();
    expect(idsOf(replay)).toEqual([[5, 3]]);
  });

  test('older than the oldest segment leaves the log alone', () => {
    const before = replayOf([snapshotRecord(5, 1), ...entries(8, 9, 2).map(entryRecord)], 8);
    expect(idsOf(before)).toEqual([
      [8, 2],
      [9, 2],
    ]);
    const behind = replayOf([...entries(8, 9, 2).map(entryRecord), snapshotRecord(5, 1)], 8);
    expect(idsOf(behind)).toEqual([
      [8, 2],
      [9, 2],
    ]);
  });

  test('of index 0 only marks the beginning of a log', () => {
    expect(finish(replayOf([snapshotRecord(0, 0)])).snapshots).toEqual([]);
  });
});

describe('the rest', () => {
  test('of the hard states the last one counts; without any it is zero', () => {
    expect(finish(replayOf([])).hardState).toEqual({ term: 0, vote: undefined, commit: 0 });
    const states = [hardState(1, 0, 7n), hardState(2, 3)].map((state) =>
      record(RECORD_TYPE.hardState, encodeHardState(state)),
    );
    expect(finish(replayOf(states)).hardState).toEqual({ term: 2, vote: undefined, commit: 3 });
  });

  test('a log belongs to one member of one cluster', () => {
    const other = encodeWalMetadata({ ...METADATA, memberId: 1n });
    expect(replayOf([]).add(record(RECORD_TYPE.metadata, other))?.kind).toBe('corrupt');
    expect(new LogReplay(1).finish()).toMatchObject({ ok: false, error: { kind: 'corrupt' } });
  });

  test('what is intact but not known is refused as such, not as corrupt', () => {
    const cases: [number, Uint8Array][] = [
      [9, new Uint8Array(1)],
      [RECORD_TYPE.entry, Uint8Array.of(0x08, 3, 0x10, 1, 0x18, 1)],
      [RECORD_TYPE.entry, Uint8Array.of(0xff)],
      [RECORD_TYPE.hardState, Uint8Array.of(0x08)],
      [RECORD_TYPE.snapshot, Uint8Array.of(0x1a, 5)],
      [RECORD_TYPE.metadata, Uint8Array.of(0x0a, 1, 1)],
    ];
    const kinds = cases.map(([type, data]) => replayOf([]).add({ type, crc: 0, data })?.kind);
    expect(kinds).toEqual(cases.map(() => 'unknownRecord' satisfies WalProblem['kind']));
  });
});

function replayOf(records: readonly WalRecord[], firstIndex = 1): LogReplay {
  const replay = new LogReplay(firstIndex);
  replay.add(record(RECORD_TYPE.metadata, encodeWalMetadata(METADATA)));
  for (const each of records) expect(replay.add(each)).toBeUndefined();
  return replay;
}

function finish(replay: LogReplay) {
  const finished = replay.finish();
  if (!finished.ok) throw new Error(finished.error.reason);
  return finished.value;
}

function idsOf(replay: LogReplay): [number, number][] {
  return finish(replay).entries.map(({ index, term }) => [index, term]);
}

function record(type: RecordType, data: Uint8Array): WalRecord {
  return { type, crc: 0, data };
}

function entryRecord(value: Entry): WalRecord {
  const writer = new FieldWriter();
  writeEntry(writer, value);
  return record(RECORD_TYPE.entry, writer.finish());
}

function snapshotRecord(index: number, term: number): WalRecord {
  return record(RECORD_TYPE.snapshot, encodeSnapshotRecord({ index, term, confState: CONF_STATE }));
}

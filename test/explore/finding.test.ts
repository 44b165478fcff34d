/** Which findings are one failure mode, and how modes are counted. */
import { describe, expect, test } from 'vitest';
import { distinct, modeOf, signatureOf } from '../../harness/explore/finding.ts';
import {
  exitCodeOfBook,
  isByDesign,
  ModeBook,
  type RunResult,
} from '../../harness/explore/run-records.ts';
import { jsonOf, markdownOf, summaryLine } from '../../harness/explore/tables.ts';

describe('signatures', () => {
  test.each([
    [
      'progress was told up to revision 395, and after it put of flood/309 at revision 158',
      'progress was told up to revision 7, and after it delete of kv/a/0 at revision 3 (9 such)',
    ],
    [
      'panic: tocommit(51) is out of range [lastIndex(28)]. Was the raft log corrupted (n1; kill)',
      'panic: tocommit(1234) is out of range [lastIndex(0)]. Was the raft log corrupted (n3)',
    ],
    [
      'it refuses to start and says only: open /tmp/a/n1/member/wal/0-1.wal: no such file',
      'it refuses to start and says only: open /srv/b/n2/member/wal/0-9.wal: no such file',
    ],
    [
      'a client was told at revision 9 to hold a lock by key lock-1/6e3ba201099ab319, and',
      'a client was told at revision 10 to hold a lock by key lock-2/aa3ba2010cdef319, and',
    ],
  ])('%s', (one, other) => {
    expect(signatureOf(one).slice(0, 60)).toBe(signatureOf(other).slice(0, 60));
  });

  test('different words are different modes', () => {
    const told =
      'a watcher was told of put of k at revision 5 after it had been told of revision 6';
    expect(modeOf({ checker: 'watch', sentence: told })).not.toBe(
      modeOf({ checker: 'watch', sentence: 'a watcher from revision 7 on was told of put of k' }),
    );
    expect(modeOf({ checker: 'a', sentence: told })).not.toBe(
      modeOf({ checker: 'b', sentence: told }),
    );
  });

  test('the first of each mode is kept', () => {
    const sentences = ['n1 holds 5', 'n2 holds 6', 'n1 lost 5'];
    const findings = sentences.map((sentence) => ({ checker: 'c', sentence }));
    expect(distinct(findings).map(({ sentence }) => sentence)).toEqual(['n1 holds 5', 'n1 lost 5']);
  });
});

function result(index: number, more: Partial<RunResult>): RunResult {
  return {
    ...{ index, atS: index * 60, tookS: 20, description: 'a run', faults: [], lies: false },
    ...{ outcome: 'sound', reasons: [], findings: [], ...more },
  };
}

const LOST = { checker: 'set', sentence: 'element 7 is lost' };
const PANIC = { checker: 'crash', sentence: 'panic: oh | no (n1)' };
const ABOUT = {
  ...{ target: 'etcd', version: '3.4', seed: 5, tookS: 240, isOver: true },
  replay: 'storm explore --seed 5 --only',
};

describe('the book', () => {
  test('counts runs, not findings, and tells what only lying disks show', () => {
    const book = new ModeBook();
    book.add(result(1, {}));
    book.add(result(2, { findings: [LOST, LOST], lies: true, faults: ['lying-disk'] }));
    expect(book.modes.map(isByDesign)).toEqual([true]);
    expect(exitCodeOfBook(book)).toBe(0);
    book.add(result(3, { findings: [PANIC], faults: ['bit-rot'], directory: '/d' }));
    expect(exitCodeOfBook(book)).toBe(1);
    expect(book.modes.map(({ checker, firstRun, runs }) => [checker, firstRun, runs])).toEqual([
      ['crash', 3, 1],
      ['set', 2, 1],
    ]);
    // With honest disks it is news, and counts from there.
    expect(book.isNews([LOST], true)).toBe(false);
    expect(book.isNews([LOST], false)).toBe(true);
    book.add(result(4, { findings: [LOST] }));
    expect(book.modes.map(({ firstRun, runs }) => [firstRun, runs])).toEqual([
      [3, 1],
      [4, 2],
    ]);
    expect(summaryLine(book, ABOUT)).toBe('2 distinct failure modes; 4 runs in 4.0 min');
  });

  test('nothing found: 0; nothing known: 2', () => {
    const book = new ModeBook();
    book.add(result(1, { outcome: 'unknown', reasons: ['why'] }));
    expect(exitCodeOfBook(book)).toBe(2);
    book.add(result(2, {}));
    expect(exitCodeOfBook(book)).toBe(0);
  });

  test('as Markdown and as JSON', () => {
    const book = new ModeBook();
    book.add(result(2, { findings: [PANIC], faults: ['kill'] }));
    const markdown = markdownOf(book, ABOUT);
    expect(markdown).toContain('| 1 of 1 | kill 1 | panic: oh \\| no (n1) | no | `--only 2` |');
    const json = JSON.parse(jsonOf(book, ABOUT));
    expect(json).toMatchObject({ format: 'storm-explore/1', runs: 1 });
    expect(json.modes).toMatchObject([
      { checker: 'crash', byDesign: false, replay: `${ABOUT.replay} 2`, faults: { kill: 1 } },
    ]);
  });
});

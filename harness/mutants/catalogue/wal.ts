/** Mistakes in the write-ahead log: what is written, when it is durable, what is read back. */
import { edit, type Mutant } from '../mutant.ts';

const REPLAY = 'src/wal/replay.ts';
const SCAN = 'src/wal/scan-segment.ts';
const SEGMENT_FILE = 'src/wal/segment-file.ts';
const STORAGE = 'src/member/storage.ts';
const WAL = 'src/wal/wal.ts';

const SYNCING: readonly Mutant[] = [
  {
    name: 'acknowledge-before-log',
    area: 'wal',
    story: 'members acknowledge entries and write them a moment later: kill -9 of all loses them',
    edits: [
      edit(
        STORAGE,
        'await this.#wal.append(append);',
        'this.#clock.after(400, () => void this.#wal.append(append).catch(() => undefined));',
      ),
    ],
  },
  {
    name: 'vote-not-synced',
    area: 'wal',
    story: 'term and vote are written but not synced: after a power failure a member votes again',
    edits: [
      edit(
        WAL,
        '        return this.#encodeHardState(request.hardState) || request.entries.length > 0;',
        `        this.#encodeHardState(request.hardState);
        return request.entries.length > 0;`,
      ),
    ],
  },
  {
    name: 'last-of-a-group-decides-sync',
    area: 'wal',
    story:
      'the last request of a group decides whether it is synced: acknowledged entries are lost',
    edits: [
      edit(
        WAL,
        'mustSync = this.#encode(request) || mustSync;',
        'mustSync = this.#encode(request);',
      ),
    ],
  },
  {
    name: 'group-written-to-first-sync',
    area: 'wal',
    story: 'of a group only what comes up to the first that needs a sync is written',
    edits: [
      edit(
        WAL,
        'mustSync = this.#encode(request) || mustSync;',
        'mustSync ||= this.#encode(request);',
      ),
    ],
  },
  {
    name: 'empty-append-overtakes',
    area: 'wal',
    story: 'an answer with nothing to write does not wait for the writes that it speaks of',
    edits: [
      edit(
        STORAGE,
        `    this.#tail = Promise.all([earlier, written]).then(() => undefined);
    return this.#tail;`,
        `    this.#tail = written;
    return written;`,
      ),
    ],
  },
  {
    name: 'failed-sync-ignored',
    area: 'wal',
    story: 'a member whose disk refuses to sync goes on: what it acknowledges may not be there',
    edits: [
      edit(
        WAL,
        'await this.#openFile().writeDurably(this.#offset, bytes);',
        'await this.#openFile().writeDurably(this.#offset, bytes).catch(() => undefined);',
      ),
    ],
  },
];

const SEGMENTS: readonly Mutant[] = [
  {
    name: 'segment-closed-without-sync',
    area: 'wal',
    story: 'a full segment is not synced before the next begins: the log has a hole in its chain',
    edits: [
      edit(
        SEGMENT_FILE,
        `    await file.truncate(endOffset);
    await file.datasync();`,
        '    await file.truncate(endOffset);',
      ),
    ],
  },
  {
    name: 'segment-name-not-durable',
    area: 'wal',
    story: 'a new segment’s name is not synced: a power failure takes it, with all it holds',
    edits: [
      edit(
        SEGMENT_FILE,
        `  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);`,
        '  await disk.rename(temporary, path);',
      ),
    ],
  },
  {
    name: 'segment-released-too-early',
    area: 'wal',
    story: 'a segment is released if it begins before the checkpoint: entries behind it are gone',
    edits: [edit(WAL, 'next.firstIndex > index) return;', 'oldest.firstIndex > index) return;')],
  },
  {
    name: 'offset-kept-over-segments',
    area: 'wal',
    story: 'writing goes on at the old offset in a new segment: a restart does not find it',
    edits: [edit(WAL, '    this.#offset = head.length;\n', '')],
  },
];

const READING: readonly Mutant[] = [
  {
    name: 'commit-record-drops-vote',
    area: 'wal',
    story: 'a record written for the commit index alone leaves out the vote: a restart forgets it',
    edits: [
      edit(
        WAL,
        `    this.#frames.add(RECORD_TYPE.hardState, encodeHardState(state));
    this.#hardState = state;`,
        `    const kept = isVote ? state : { ...state, vote: undefined };
    this.#frames.add(RECORD_TYPE.hardState, encodeHardState(kept));
    this.#hardState = state;`,
      ),
    ],
  },
  {
    name: 'checksum-not-compared',
    area: 'wal',
    story: 'records are taken as they are: a torn or rotten one becomes an entry nobody wrote',
    edits: [
      edit(
        SCAN,
        'if (record.crc !== expected) {',
        'if (isChainStart && record.crc !== expected) {',
      ),
    ],
  },
  {
    name: 'torn-tail-kept',
    area: 'wal',
    story: 'what a torn write left is not cut off: it reappears behind the next records',
    edits: [
      edit(SEGMENT_FILE, '    if (tail.tornBytes > 0) await file.truncate(tail.endOffset);\n', ''),
    ],
  },
  {
    name: 'truncated-entries-come-back',
    area: 'wal',
    story: 'a replayed entry replaces only its own index: after a restart an old tail is back',
    edits: [
      edit(
        REPLAY,
        '    this.#entries.length = Math.max(keep, 0);',
        '    const replaced = this.#entries.splice(Math.max(keep, 0));',
      ),
      edit(
        REPLAY,
        `    this.#entries.push(decoded.value);
    this.#lastIndex = index;`,
        `    this.#entries.push(decoded.value);
    this.#entries.push(...replaced.filter((entry) => entry.index > index));
    this.#lastIndex = Math.max(this.#lastIndex, index);`,
      ),
    ],
  },
  {
    name: 'superseded-log-kept',
    area: 'wal',
    story: 'replay keeps the log that an installed snapshot replaced: the member does not start',
    edits: [
      edit(
        REPLAY,
        `    if (this.#holds(index, term)) return undefined;
    this.#entries = [];
    this.#lastIndex = index;`,
        '    this.#lastIndex = Math.max(this.#lastIndex, index);',
      ),
    ],
  },
];

export const WAL_MUTANTS: readonly Mutant[] = [...SYNCING, ...SEGMENTS, ...READING];

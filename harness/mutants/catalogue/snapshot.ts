/** Mistakes in checkpoints, and in snapshots on their way between members. */
import { edit, type Mutant } from '../mutant.ts';

const APPLY = 'src/member/apply.ts';
const BUCKETS = 'src/snap/bucket-content.ts';
const FOLLOWER = 'src/raft/follower.ts';
const LOG = 'src/raft/log.ts';
const PAGE_SINK = 'src/snap/page-sink.ts';
const REPLACE_FILE = 'src/snap/replace-file.ts';
const STARTED_MEMBER = 'src/member/started-member.ts';
const STORAGE = 'src/member/storage.ts';
const STORE = 'src/mvcc/store.ts';

const WRITING: readonly Mutant[] = [
  {
    name: 'checkpoint-index-one-behind',
    area: 'snapshot',
    story: 'a checkpoint claims one entry less than it holds: a restart applies that one twice',
    edits: [
      edit(
        APPLY,
        'imageOf(this.#state, { index: this.#applied, term',
        'imageOf(this.#state, { index: this.#applied - 1, term',
      ),
    ],
  },
  {
    name: 'checkpoint-term-never-updated',
    area: 'snapshot',
    story: 'checkpoints have the term of the one before: the log does not know them at restart',
    edits: [edit(APPLY, '    this.#appliedTerm = entry.term;\n', '')],
  },
  {
    name: 'checkpoint-shares-the-open-block',
    area: 'snapshot',
    story: 'changes made while a checkpoint is written get into it: a restart makes them again',
    edits: [
      edit(
        STORE,
        'const reader = new LogReader(index.log, 0, lastId);',
        'const reader = new LogReader(index.log, 0, Number.POSITIVE_INFINITY);',
      ),
    ],
  },
  {
    name: 'tombstones-left-out',
    area: 'snapshot',
    story: 'checkpoints leave deletions out: after a restart deleted keys are back',
    edits: [
      edit(
        BUCKETS,
        '    const kept = tombstone ? { ...TOMBSTONE, key: keyValue.key } : keyValue;',
        `    if (tombstone) continue;
    const kept = keyValue;`,
      ),
    ],
  },
  {
    name: 'log-released-before-checkpoint',
    area: 'snapshot',
    story: 'the log forgets what a checkpoint will cover before it is there: a crash leaves a gap',
    edits: [
      edit(
        STORAGE,
        '      await writeCheckpoint(',
        `      await this.#wal.saveSnapshot({ index, term, confState });
      await this.#wal.release(index);
      await writeCheckpoint(`,
      ),
      edit(
        STORAGE,
        `    }
    await this.#mark({ index, term, confState });
    await this.#wal.release(index);`,
        '    }',
      ),
    ],
  },
  {
    name: 'checkpoint-not-synced',
    area: 'snapshot',
    story: 'a checkpoint gets its name before it is on the device: a power failure damages it',
    edits: [
      edit(
        PAGE_SINK,
        `    await this.#file.datasync();
    return this.#writtenBytes;`,
        '    return this.#writtenBytes;',
      ),
    ],
  },
  {
    name: 'checkpoint-name-not-durable',
    area: 'snapshot',
    story: 'a checkpoint’s name is not synced, yet the log forgets what it covers: a gap',
    edits: [edit(REPLACE_FILE, '  await disk.syncDirectory(directory);\n', '')],
  },
];

const INSTALLING: readonly Mutant[] = [
  {
    name: 'installed-snapshot-not-marked',
    area: 'snapshot',
    story: 'the log is not told of an installed snapshot: the next entries do not fit, it stops',
    edits: [
      edit(
        STORAGE,
        `    failpoints?.hit('raftBeforeWALSaveSnaphot');
    await this.#wal.saveSnapshot(meta);`,
        `    failpoints?.hit('raftBeforeWALSaveSnaphot');`,
      ),
    ],
  },
  {
    name: 'snapshot-marked-before-installed',
    area: 'snapshot',
    story: 'the log drops what a snapshot replaces before that is installed: a crash leaves a gap',
    edits: [
      edit(
        STORAGE,
        `    failpoints?.hit('raftBeforeWALSaveSnaphot');
    await this.#wal.saveSnapshot(meta);`,
        `    failpoints?.hit('raftBeforeWALSaveSnaphot');`,
      ),
      edit(
        STORAGE,
        '    const installed = await installReceived(',
        `    await this.#wal.saveSnapshot(meta);
    const installed = await installReceived(`,
      ),
    ],
  },
  {
    name: 'install-keeps-the-old-store',
    area: 'snapshot',
    story: 'an installed snapshot moves the index but not the store: the member misses writes',
    edits: [
      edit(
        APPLY,
        '    this.#state = stateOf(checkpoint, this.#options);\n    this.#applied',
        `    const { store } = this.#state;
    this.#state = { ...stateOf(checkpoint, this.#options), store };
    this.#applied`,
      ),
    ],
  },
  {
    name: 'reads-from-the-store-before-install',
    area: 'snapshot',
    story: 'reads keep the store of the start: after an installed snapshot they see the past',
    edits: [
      edit(
        STARTED_MEMBER,
        '  readonly #ids: RequestIds;',
        `  readonly #ids: RequestIds;
  readonly #store: Member['machine']['store'];`,
      ),
      edit(
        STARTED_MEMBER,
        '    this.#member = member;',
        `    this.#member = member;
    this.#store = member.machine.store;`,
      ),
      edit(
        STARTED_MEMBER,
        'return this.#member.machine.store.range(request);',
        'return this.#store.range(request);',
      ),
    ],
  },
  {
    name: 'snapshot-keeps-the-old-term',
    area: 'snapshot',
    story: 'a snapshot moves the log’s start but not its term: the entries behind never fit',
    edits: [
      edit(
        LOG,
        `    this.#baseIndex = meta.index;
    this.#baseTerm = meta.term;`,
        '    this.#baseIndex = meta.index;',
      ),
    ],
  },
  {
    name: 'snapshot-acknowledged-on-arrival',
    area: 'snapshot',
    story: 'a snapshot is acknowledged before it is installed: after a crash the member lacks it',
    edits: [
      edit(
        FOLLOWER,
        `'follower: the snapshot was not taken in');
  acknowledge(core, to, log.commit);`,
        `'follower: the snapshot was not taken in');
  const { id: from, term } = core;
  const answer = { from, to, term, reject: false, rejectHint: 0, logTerm: 0 };
  core.send({ ...answer, type: 'MsgAppResp', index: log.commit });`,
      ),
    ],
  },
];

export const SNAPSHOT_MUTANTS: readonly Mutant[] = [...WRITING, ...INSTALLING];

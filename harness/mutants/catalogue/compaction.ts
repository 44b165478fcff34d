/** Mistakes in what compaction keeps, refuses and removes. */
import { edit, type Mutant } from '../mutant.ts';

const CHUNK = 'src/mvcc/revision-chunk.ts';
const COMPACTION = 'src/mvcc/compaction.ts';
const HASH_KV = 'src/mvcc/hash-kv.ts';
const STATE = 'src/member/replicated-state.ts';
const STORE = 'src/mvcc/store.ts';
const TXN = 'src/mvcc/txn.ts';

export const COMPACTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'tombstone-at-compaction-dropped',
    area: 'compaction',
    story: 'a deletion at the compacted revision is removed: a watch from there misses its event',
    expected: 'watch: an event is missing',
    edits: [
      edit(
        CHUNK,
        'return this.main[at]! < revision && this.isTombstone(at);',
        'return this.main[at]! <= revision && this.isTombstone(at);',
      ),
    ],
  },
  {
    name: 'compaction-keeps-too-little',
    area: 'compaction',
    story: 'what was replaced right after the compacted revision goes, too: a read there misses it',
    expected: 'oracle: state',
    edits: [
      edit(
        CHUNK,
        'if (supersededAt !== 0 && supersededAt <= revision) return true;',
        'if (supersededAt !== 0 && supersededAt <= revision + 1) return true;',
      ),
    ],
  },
  {
    name: 'removal-takes-too-much',
    area: 'compaction',
    story:
      'removing rows goes one revision too far: nobody notices before the rows are really gone',
    expected: 'oracle: state',
    edits: [
      edit(
        COMPACTION,
        'if (!chunk.isObsolete(at, this.revision)) continue;',
        'if (!chunk.isObsolete(at, this.revision + 1)) continue;',
      ),
    ],
  },
  {
    name: 'compacted-revision-unreadable',
    area: 'compaction',
    story: 'reads at exactly the compacted revision are refused, though all of it is there',
    expected: 'oracle: answer',
    edits: [
      edit(
        TXN,
        `return revision > 0 && revision < store.compactRevision ? 'compacted' : undefined;`,
        `return revision > 0 && revision <= store.compactRevision ? 'compacted' : undefined;`,
      ),
    ],
  },
  {
    name: 'hash-depends-on-removal',
    area: 'compaction',
    story: 'the hash is over what is still there: members differ by how far their removal got',
    expected: 'hash: members differ at one revision',
    edits: [
      edit(HASH_KV, '    if (chunk.isObsolete(at, this.#compactRevision)) return false;\n', ''),
      edit(
        HASH_KV,
        '    if (main <= this.#compactRevision && this.#isAnyKept && !isKept) return false;\n',
        '',
      ),
    ],
  },
  {
    name: 'compaction-left-out-of-checkpoint',
    area: 'compaction',
    story: 'checkpoints do not say what was compacted: after a restart the past reads with holes',
    expected: 'oracle: state',
    edits: [edit(STATE, 'compactRevision: image.compactRevision,', 'compactRevision: 0,')],
  },
  {
    name: 'removal-ignores-readers',
    area: 'compaction',
    story: 'rows are removed that an image or a long range still reads: both have holes',
    expected: 'oracle: state, or oracle: answer',
    edits: [
      edit(
        STORE,
        'return Math.min(this.#compactRevision, this.#pins.lowest);',
        'return this.#compactRevision;',
      ),
    ],
  },
];

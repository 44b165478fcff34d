/** Mistakes in what ranges answer, of the present and of the past. */
import { edit, type Mutant } from '../mutant.ts';

const KEY_INDEX = 'src/mvcc/key-index.ts';
const ORDERED_INDEX = 'src/mvcc/ordered-index.ts';
const RANGE = 'src/mvcc/range.ts';
const TXN = 'src/mvcc/txn.ts';

export const MVCC_RANGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'range-end-inclusive',
    area: 'mvcc',
    story: 'the end of a range belongs to it: reads show, and deletions take, one key too many',
    edits: [
      edit(
        ORDERED_INDEX,
        'for (let i = start; i < stop; i++) if',
        `const isEnd = isLast && stop < block.size && this.#keys.compare(block.ids[stop]!, end) === 0;
      for (let i = start; i < stop + Number(isEnd); i++) if`,
      ),
    ],
  },
  {
    name: 'limit-hides-more',
    area: 'mvcc',
    story: 'a range stops looking at its limit: `more` is never set and pagers stop early',
    edits: [edit(RANGE, 'return request.limit + 1;', 'return request.limit;')],
  },
  {
    name: 'count-after-limit',
    area: 'mvcc',
    story: 'the count of a range is that of the keys shown, not of those there are',
    edits: [
      edit(
        RANGE,
        'return { kvs: request.keysOnly ? cut.map(withoutValue) : cut, more, count };',
        'return { kvs: request.keysOnly ? cut.map(withoutValue) : cut, more, count: cut.length };',
      ),
    ],
  },
  {
    name: 'descending-turns-ties-round',
    area: 'mvcc',
    story: 'a descending sort is an ascending one, reversed: keys that tie come in wrong order',
    edits: [
      edit(
        RANGE,
        `  const direction = sortOrder === 'descend' ? -1 : 1;
  return kvs.sort((a, b) => direction * compareBy(sortTarget, a, b));`,
        `  const ascending = kvs.sort((a, b) => compareBy(sortTarget, a, b));
  return sortOrder === 'descend' ? ascending.reverse() : ascending;`,
      ),
    ],
  },
  {
    name: 'sort-by-create-uses-mod',
    area: 'mvcc',
    story: 'a sort by create revision goes by mod revision: keys come in wrong order',
    edits: [
      edit(
        RANGE,
        'return a.createRevision - b.createRevision;',
        'return a.modRevision - b.modRevision;',
      ),
    ],
  },
  {
    name: 'filter-bound-exclusive',
    area: 'mvcc',
    story: 'the greatest mod revision asked for is left out: the newest key is missing',
    edits: [edit(RANGE, 'kv.modRevision <= maxModRevision', 'kv.modRevision < maxModRevision')],
  },
  {
    name: 'past-read-misses-its-revision',
    area: 'mvcc',
    story: 'a read of a past revision does not see the change made at exactly that one',
    edits: [
      edit(
        KEY_INDEX,
        '  #seek(key: KeyId, revision: Revision): boolean {',
        `  #seek(key: KeyId, asked: Revision): boolean {
    const revision = asked < this.log.lastMain ? asked - 1 : asked;`,
      ),
    ],
  },
  {
    name: 'past-read-of-a-key-sees-the-present',
    area: 'mvcc',
    story: 'reads of one key ignore the revision asked for: snapshots of several keys are torn',
    edits: [
      edit(
        KEY_INDEX,
        'const isPresent = revision >= this.log.lastMain;',
        'const isPresent = revision >= this.log.lastMain || rangeEnd.length === 0;',
      ),
      edit(
        KEY_INDEX,
        'if (isPresent) this.#seek(id, revision);',
        'if (isPresent) this.#seek(id, NEWEST);',
      ),
    ],
  },
  {
    name: 'present-revision-refused',
    area: 'mvcc',
    story: 'the present revision passes for a future one: a read of what was just written fails',
    edits: [
      edit(
        TXN,
        `if (revision > store.revision) return 'futureRevision';`,
        `if (revision >= store.revision) return 'futureRevision';`,
      ),
    ],
  },
];

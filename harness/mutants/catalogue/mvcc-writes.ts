/** Mistakes in what puts, deletions and transactions do to the store. */
import { edit, type Mutant } from '../mutant.ts';

const COMPARE = 'src/mvcc/compare.ts';
const HUB = 'src/mvcc/watch-hub.ts';
const KEY_INDEX = 'src/mvcc/key-index.ts';
const KV = 'src/service/kv.ts';
const STORE = 'src/mvcc/store.ts';
const TXN = 'src/mvcc/txn.ts';
const WRITER = 'src/mvcc/writer.ts';

const KEYS: readonly Mutant[] = [
  {
    name: 'version-goes-on-after-delete',
    area: 'mvcc',
    story: 'a key that is deleted and put again goes on counting its version instead of at 1',
    edits: [
      edit(
        WRITER,
        'this.#index.scan(request.key, request.rangeEnd, NEWEST, (chunk, at) => {\n      doomed',
        `const versions: number[] = [];
    this.#index.scan(request.key, request.rangeEnd, NEWEST, (chunk, at) => {
      versions.push(chunk.version[at]!);
      doomed`,
      ),
      edit(WRITER, '        version: 0,', '        version: versions.shift()!,'),
      edit(
        KEY_INDEX,
        'version: tombstone ? 0 : row.version,',
        'version: row.version + (tombstone ? 0 : this.#versionBefore(previous)),',
      ),
      edit(
        KEY_INDEX,
        '  /** Twice as far as the last two jumps',
        `  #versionBefore(previous: number): number {
    const chunk = previous === NO_ROW ? undefined : this.log.chunkOf(previous);
    const at = chunk === undefined ? -1 : chunk.slotOf(previous);
    return at >= 0 && chunk!.isTombstone(at) ? chunk!.version[at]! : 0;
  }

  /** Twice as far as the last two jumps`,
      ),
    ],
  },
  {
    name: 'every-put-creates',
    area: 'mvcc',
    story: 'each put sets the create revision: guards of the kind "still the same key" fail',
    edits: [
      edit(
        WRITER,
        'createRevision: place?.chunk.createRevision[place.at] ?? this.#main,',
        'createRevision: this.#main,',
      ),
    ],
  },
  {
    name: 'prev-kv-is-the-new-one',
    area: 'mvcc',
    story: 'prevKv is looked up after the put: clients get back what they have just written',
    edits: [
      edit(
        WRITER,
        'return { prevKv: request.prevKv ? previous : undefined };',
        `const now = index.newest(index.find(request.key))!;
    return { prevKv: request.prevKv ? index.keyValue(now.chunk, now.at) : undefined };`,
      ),
    ],
  },
  {
    name: 'ignore-value-creates-a-key',
    area: 'mvcc',
    story: 'a put that keeps the value of a missing key is not refused: an empty key appears',
    edits: [
      edit(TXN, `return isLive ? undefined : 'keyNotFound';`, 'return undefined;'),
      edit(
        WRITER,
        `    assert(
      place !== undefined || !(request.ignoreValue || request.ignoreLease),
      'a put that keeps a part of its key was not checked',
    );\n`,
        '',
      ),
      edit(
        WRITER,
        'value: request.ignoreValue ? previous!.value : request.value,',
        'value: request.ignoreValue ? (previous?.value ?? EMPTY_BYTES) : request.value,',
      ),
      edit(
        WRITER,
        'lease: request.ignoreLease ? previous!.lease : request.lease,',
        'lease: request.ignoreLease ? (previous?.lease ?? 0n) : request.lease,',
      ),
    ],
  },
  {
    name: 'deleted-counts-what-is-shown',
    area: 'mvcc',
    story: 'the count of deleted keys is that of the previous values sent: 0 if none were wanted',
    edits: [
      edit(
        WRITER,
        'return { deleted: doomed.length, prevKvs };',
        'return { deleted: prevKvs.length, prevKvs };',
      ),
    ],
  },
  {
    name: 'delete-of-nothing-takes-a-revision',
    area: 'mvcc',
    story: 'a deletion that finds no key moves the revision: every later revision is off by one',
    edits: [
      edit(
        STORE,
        'return ok(this.#write((writer) => writer.deleteRange(request)));',
        `const result = this.#write((writer) => writer.deleteRange(request));
    if (result.deleted === 0) this.#revision++;
    return ok(result);`,
      ),
      // Whoever tells the watchers would notice the revision that was left out.
      edit(HUB, 'assert(revision === this.#revision + 1,', 'assert(revision > this.#revision,'),
    ],
  },
];

const TRANSACTIONS: readonly Mutant[] = [
  {
    name: 'compare-when-proposed',
    area: 'mvcc',
    story: 'a transaction is decided where it is proposed, not where it is applied: two may win',
    edits: [
      edit(
        KV,
        `    const applied = await this.#change({ type: 'txn', request }, caller);`,
        `    const guard = this.#node.readTxn({ compare: request.compare, success: [], failure: [] });
    const succeeded = guard.ok && guard.value.succeeded;
    const chosen = succeeded ? request.success : request.failure;
    const decided = { compare: [], success: chosen, failure: [] };
    const applied = await this.#change({ type: 'txn', request: decided }, caller);`,
      ),
      edit(
        KV,
        `    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);`,
        `    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, { ...result.result, succeeded });`,
      ),
    ],
  },
  {
    name: 'operations-take-a-revision-each',
    area: 'mvcc',
    story: 'every write of a transaction gets a revision of its own: readers see it half done',
    edits: [
      edit(WRITER, 'readonly #main: Revision;', '#main: Revision;'),
      edit(
        WRITER,
        `main: this.#main,
      sub: this.#nextSub++,
      tombstone: false,
      createRevision:`,
        `main: this.#main++,
      sub: this.#nextSub++,
      tombstone: false,
      createRevision:`,
      ),
      edit(
        WRITER,
        `main: this.#main,
        sub: this.#nextSub++,`,
        `main: this.#main++,
        sub: this.#nextSub++,`,
      ),
      edit(
        STORE,
        'if (writer.hasWritten) this.#revision++;',
        'this.#revision = Math.max(this.#revision, this.#index.log.lastMain);',
      ),
      // Whoever tells the watchers would notice the revision that was left out.
      edit(HUB, 'assert(revision === this.#revision + 1,', 'assert(revision > this.#revision,'),
    ],
  },
  {
    name: 'missing-key-has-an-empty-value',
    area: 'mvcc',
    story: 'a guard on the value of a missing key compares with nothing instead of failing',
    edits: [
      edit(
        COMPARE,
        `return compare.target !== 'value' && accepts(compare.result, order(compare, MISSING));`,
        'return accepts(compare.result, order(compare, MISSING));',
      ),
    ],
  },
  {
    name: 'range-guard-asks-the-last-key',
    area: 'mvcc',
    story: 'of a guard on a range only its last key counts: transactions run that must not',
    edits: [edit(COMPARE, 'isSatisfied &&= accepts(', 'isSatisfied = accepts(')],
  },
  {
    name: 'nested-guards-see-the-writes-before',
    area: 'mvcc',
    story: 'a nested transaction is decided when it runs: its guards see the writes of its parent',
    edits: [
      edit(
        TXN,
        `(op.type === 'txn' ? { type: 'txn', plan: planTxn(index, op.request) } : op),`,
        `(op.type === 'txn' ? { ...op, plan: planTxn(index, op.request) } : op),`,
      ),
      edit(
        TXN,
        'result: runPlan(index, step.plan, writer) };',
        'result: runPlan(index, planTxn(index, step.request), writer) };',
      ),
    ],
  },
];

export const MVCC_WRITE_MUTANTS: readonly Mutant[] = [...KEYS, ...TRANSACTIONS];

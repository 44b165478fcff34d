/** Mistakes in what watchers are told, and when. */
import { edit, type Mutant } from '../mutant.ts';

const CATCH_UP = 'src/mvcc/watch-catch-up.ts';
const CHANGES = 'src/mvcc/watch-changes.ts';
const HUB = 'src/mvcc/watch-hub.ts';
const STREAM = 'src/mvcc/watch-stream.ts';

/** Events that are missing, come twice, or come to somebody else. */
const DELIVERY: readonly Mutant[] = [
  {
    name: 'watch-loses-the-border',
    area: 'watch',
    story: 'who has caught up is told only of what follows the next revision: that one is lost',
    expected: 'watch: an event is missing',
    edits: [
      edit(
        CATCH_UP,
        `    next = read.nextRevision;
  }
  return { rows, nextRevision: revisionMax + 1 };`,
        `    next = read.nextRevision;
  }
  return { rows, nextRevision: revisionMax + 2 };`,
      ),
    ],
  },
  {
    name: 'slow-watcher-loses-an-event',
    area: 'watch',
    story: 'the event that finds a client’s stream full is not given again when there is room',
    expected: 'watch: an event is missing',
    edits: [
      edit(
        HUB,
        `          watcher.nextRevision = revision;
          this.#unsync(watcher);`,
        `          watcher.nextRevision = revision + 1;
          this.#unsync(watcher);`,
      ),
    ],
  },
  {
    name: 'stalled-watcher-never-resumes',
    area: 'watch',
    story: 'a stream that was full is not looked at again: its watchers hear nothing any more',
    expected: 'watch: an event is missing after all is healed',
    edits: [
      edit(
        HUB,
        'if (stream.unsynced.size > 0 && this.#streams.has(stream)) this.#ready.add(stream);',
        'if (stream.unsynced.size > 0 && this.#synced.size > 0) this.#ready.add(stream);',
      ),
      edit(
        HUB,
        '    this.#ready.add(watcher.stream);\n',
        '    if (watcher.stream.outlet.writable) this.#ready.add(watcher.stream);\n',
      ),
    ],
  },
  {
    name: 'watch-repeats-after-install',
    area: 'watch',
    story: 'after an installed snapshot watchers go on at the last revision that they were told of',
    expected: 'watch: an event comes twice',
    edits: [
      edit(
        HUB,
        'watcher.nextRevision = Math.max(watcher.nextRevision, reached);',
        'watcher.nextRevision = reached - 1;',
      ),
    ],
  },
  {
    name: 'watch-skips-what-is-installed',
    area: 'watch',
    story: 'an installed snapshot counts as told: watchers miss all that happened in between',
    expected: 'watch: an event is missing',
    edits: [
      edit(
        HUB,
        `    const reached = this.#revision + 1;
    this.#source = source;`,
        `    const reached = source.revision + 1;
    this.#source = source;`,
      ),
    ],
  },
  {
    name: 'idle-watcher-forgets-how-far',
    area: 'watch',
    story:
      'an idle watcher starts over after a snapshot: it is cancelled as compacted, or repeated',
    expected: 'watch: cancelled as compacted, owed nothing older',
    edits: [
      edit(
        HUB,
        'watcher.nextRevision = Math.max(watcher.nextRevision, reached);',
        'watcher.nextRevision = Math.max(1, watcher.startRevision);',
      ),
    ],
  },
  {
    name: 'watch-hears-from-before-its-start',
    area: 'watch',
    story: 'watchers that catch up together get what the one furthest behind is owed',
    expected: 'watch: an event from before the start, or twice',
    edits: [
      edit(HUB, 'events?.seenBy(watcher, watcher.nextRevision)', 'events?.seenBy(watcher, 0)'),
    ],
  },
  {
    name: 'future-watcher-hears-at-once',
    area: 'watch',
    story: 'a watcher of a revision yet to come is told of everything before it, too',
    expected: 'watch: an event from before the start',
    edits: [
      edit(
        HUB,
        `        if (watcher.nextRevision > revision) continue;
        const events = seen.seenBy(watcher, revision);`,
        '        const events = seen.seenBy(watcher, revision);',
      ),
    ],
  },
  {
    name: 'cancelled-watcher-hears-on',
    area: 'watch',
    story: 'cancelling a watcher that is up to date leaves it among those to be told',
    expected: 'watch: an event of a watcher that is gone',
    edits: [
      edit(
        HUB,
        `    if (watcher.isSynced) this.#synced.delete(watcher);
    else this.#dropUnsynced(watcher);
    watcher.isSynced = false;`,
        '    if (!watcher.isSynced) this.#dropUnsynced(watcher);',
      ),
    ],
  },
  {
    name: 'events-before-created',
    area: 'watch',
    story: 'a watcher of the past is given its events before it is told that it was created',
    expected: 'watch: an event of a watcher that is not created yet',
    edits: [
      edit(
        HUB,
        `    this.#watcherCount++;
    this.#place(watcher);`,
        `    this.#watcherCount++;
    this.#place(watcher);
    this.#catchUp();`,
      ),
    ],
  },
];

/** What an event says, and what is said besides events. */
const CONTENT: readonly Mutant[] = [
  {
    name: 'watch-filter-inverted',
    area: 'watch',
    story: 'who wants no puts gets no deletions, and the reverse',
    expected: 'watch: an event that is filtered out, and one that is missing',
    edits: [edit(CHANGES, `'put' ? 'noPut' : 'noDelete'`, `'put' ? 'noDelete' : 'noPut'`)],
  },
  {
    name: 'watch-prev-kv-is-the-new-one',
    area: 'watch',
    story: 'the value before an event is read at the event’s own revision: it is what was put',
    expected: 'watch: another previous value than the store had',
    edits: [edit(CHANGES, 'const before = this.revision - 1;', 'const before = this.revision;')],
  },
  {
    name: 'watch-prev-kv-of-today',
    area: 'watch',
    story: 'the value before an event is the present one: wrong for whoever reads the past',
    expected: 'watch: another previous value than the store had',
    edits: [
      edit(
        CHANGES,
        'this.#source.liveAt(kv.key, before)',
        'this.#source.liveAt(kv.key, this.#source.revision)',
      ),
    ],
  },
  {
    name: 'watched-delete-without-revision',
    area: 'watch',
    story: 'delete events do not say their revision, as the stored rows do not',
    expected: 'watch: another event than the store had',
    edits: [
      edit(CHANGES, 'kv: tombstone ? tombstoneOf(keyValue.key, main) : keyValue,', 'kv: keyValue,'),
    ],
  },
  {
    name: 'progress-ahead-of-events',
    area: 'watch',
    story: 'progress is told while watchers catch up: who resumes from there loses events',
    expected: 'watch: an event at or below a progress revision comes after it',
    edits: [
      edit(
        STREAM,
        'if (this.size === 0 || this.unsynced.size > 0) return;',
        'if (this.size === 0) return;',
      ),
    ],
  },
  {
    name: 'progress-notified-while-behind',
    area: 'watch',
    story: 'progress notifications go to watchers that catch up, too, with the newest revision',
    expected: 'watch: an event at or below a progress revision comes after it',
    edits: [
      edit(
        STREAM,
        'if (!isDue || !watcher.isSynced || watcher.startRevision > revision) continue;',
        'if (!isDue || watcher.startRevision > revision) continue;',
      ),
    ],
  },
  {
    name: 'watch-at-compaction-refused',
    area: 'watch',
    story: 'a watcher that starts at the compacted revision is cancelled, though nothing is lost',
    expected: 'watch: cancelled as compacted, owed nothing older',
    edits: [
      edit(
        HUB,
        'if (watcher.nextRevision < this.#source.compactRevision) this.#cancelCompacted(watcher);',
        'if (watcher.nextRevision <= this.#source.compactRevision) this.#cancelCompacted(watcher);',
      ),
    ],
  },
];

export const WATCH_MUTANTS: readonly Mutant[] = [...DELIVERY, ...CONTENT];

/** Mistakes in locks and elections. */
import { edit, type Mutant } from '../mutant.ts';

const ELECTION = 'src/service/election.ts';
const LOCK = 'src/service/lock.ts';
const QUEUE = 'src/service/lock-queue.ts';

export const LOCK_MUTANTS: readonly Mutant[] = [
  {
    name: 'lock-after-lease-expiry',
    area: 'lock',
    story:
      'who waited longer than its lease lived is given the lock, without a key, beside another',
    expected: 'lock: the key of who holds it is not there',
    edits: [
      edit(
        QUEUE,
        `    const compare = [createdAt(place.key, place.revision)];
    const success`,
        `    const compare: Compare[] = [];
    const success`,
      ),
    ],
  },
  {
    name: 'lock-after-one-in-front-left',
    area: 'lock',
    story: 'the lock is given when the one in front goes, though others before it still hold it',
    expected: 'lock: two hold it',
    edits: [
      edit(
        QUEUE,
        `if (end === 'tooManyRequests') return err(serviceError('tooManyRequests'));`,
        `if (end === 'tooManyRequests') return err(serviceError('tooManyRequests'));
    if (end === 'changed') return ok(header);`,
      ),
    ],
  },
  {
    name: 'gone-waiter-blocks-the-queue',
    area: 'lock',
    story: 'the key of a client that gave up waiting stays: nobody behind it ever gets the lock',
    expected: 'lock: nobody gets it any more',
    edits: [edit(LOCK, '    if (place.isNew) await leaveQueue(this.#parts, place, call);\n', '')],
  },
  {
    name: 'lock-asked-twice-is-held',
    area: 'lock',
    story: 'who asks again with the lease that it already waits with is given the lock at once',
    expected: 'lock: two hold it',
    edits: [edit(LOCK, 'isFirst: oldest === revision,', 'isFirst: oldest === revision || !isNew,')],
  },
  {
    name: 'lock-by-key-order',
    area: 'lock',
    story: 'first in the queue is whose lease id sorts first, not who came first: two may hold it',
    expected: 'lock: two hold it',
    edits: [
      edit(
        QUEUE,
        `return rangeOf(prefix, { rangeEnd: endOf(prefix), sortOrder: 'ascend' });`,
        'return rangeOf(prefix, { rangeEnd: endOf(prefix) });',
      ),
      edit(QUEUE, `    sortTarget: 'create',`, `    sortTarget: 'key',`),
      edit(
        QUEUE,
        `    sortOrder: 'descend',\n`,
        `    sortOrder: 'descend',\n    sortTarget: 'create',\n`,
      ),
    ],
  },
  {
    name: 'election-by-last-proclamation',
    area: 'lock',
    story: 'the leader is whose key was changed longest ago: whoever proclaims is not it any more',
    expected: 'election: another leader than who was elected',
    edits: [
      edit(
        QUEUE,
        `return rangeOf(prefix, { rangeEnd: endOf(prefix), sortOrder: 'ascend' });`,
        `return rangeOf(prefix, { rangeEnd: endOf(prefix), sortOrder: 'ascend', sortTarget: 'mod' });`,
      ),
    ],
  },
  {
    name: 'proclaims-without-leading',
    area: 'lock',
    story: 'a leader that lost its key proclaims on: its value appears as that of a new candidate',
    expected: 'election: another leader than who was elected',
    edits: [
      edit(
        ELECTION,
        'const compare = [createdAt(leader.key, safeNumber(leader.rev))];\n    const done',
        'const compare = [createdAt(leader.key, safeNumber(leader.rev))].slice(1);\n    const done',
      ),
    ],
  },
];

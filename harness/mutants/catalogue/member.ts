/** Mistakes in the member around consensus: requests, outcomes, the turns of its loop. */
import { edit, type Mutant } from '../mutant.ts';

const APPLY = 'src/member/apply.ts';
const KV = 'src/service/kv.ts';
const LOG = 'src/raft/log.ts';
const MEMBER = 'src/member/member.ts';
const PENDING = 'src/member/pending.ts';
const REQUEST_IDS = 'src/member/request-ids.ts';
const RUN = 'src/member/run.ts';

const LEADER_CHANGED = `    this.#knownLeader = { leader, term };
    this.#reads.askAgain();`;
const BEFORE_SETTLE = '  /** True if the outcome is awaited here; it is then no longer. */';

export const MEMBER_MUTANTS: readonly Mutant[] = [
  {
    name: 'request-ids-repeat-after-restart',
    area: 'member',
    story: 'request ids count from 1 at each start: an old entry may answer a new request',
    edits: [
      edit(
        REQUEST_IDS,
        `this.#suffix = random.fork('request-ids').uint64() & SUFFIX_MASK;`,
        'this.#suffix = 0n;',
      ),
    ],
  },
  {
    name: 'proposes-again-to-a-new-leader',
    area: 'member',
    story: 'requests without outcome are proposed again to a new leader: some take effect twice',
    edits: [
      edit(
        PENDING,
        '      proposedInTerm: undefined,\n',
        '      proposedInTerm: undefined,\n      type,\n      data,\n',
      ),
      edit(
        PENDING,
        BEFORE_SETTLE,
        `  proposeAgain(term: number): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.proposedInTerm === undefined || waiting.proposedInTerm >= term) continue;
      waiting.proposedInTerm = undefined;
      this.#held.push({ id, type: waiting.type, data: waiting.data });
    }
  }

${BEFORE_SETTLE}`,
      ),
      edit(
        MEMBER,
        LEADER_CHANGED,
        `${LEADER_CHANGED}
    if (leader !== undefined) this.#pending.proposeAgain(term);`,
      ),
    ],
  },
  {
    name: 'leader-change-reported-as-failure',
    area: 'member',
    story:
      'when the leader changes, proposed requests fail as if never proposed; some still happen',
    edits: [
      edit(
        PENDING,
        BEFORE_SETTLE,
        `  proposedIds(): RequestId[] {
    const proposed = [...this.#waiting].filter(([, { proposedInTerm }]) => proposedInTerm);
    return proposed.map(([id]) => id);
  }

${BEFORE_SETTLE}`,
      ),
      edit(
        MEMBER,
        LEADER_CHANGED,
        `${LEADER_CHANGED}
    for (const id of this.#pending.proposedIds()) this.#fail(id, 'noLeader');`,
      ),
    ],
  },
  {
    name: 'answers-the-revision-before',
    area: 'member',
    story: 'the revision in an answer is taken before the request is applied: one too low',
    edits: [
      edit(
        MEMBER,
        'const applied = this.#machine.apply(entry, context);',
        `const { revision } = this.#machine.store;
    const applied = this.#machine.apply(entry, context);`,
      ),
      edit(
        MEMBER,
        'return this.#requestApplied(applied);',
        'return this.#requestApplied(applied, revision);',
      ),
      edit(
        MEMBER,
        `(applied: Extract<AppliedEntry, { type: 'request' }>): void {`,
        `(applied: Extract<AppliedEntry, { type: 'request' }>, before: number): void {`,
      ),
      edit(
        MEMBER,
        `{ type: 'applied', id, result, revision };`,
        `{ type: 'applied', id, result, revision: before };`,
      ),
    ],
  },
  {
    name: 'answers-the-present-revision',
    area: 'member',
    story: 'a put is answered with the store’s revision of the moment: that of a later request',
    edits: [
      edit(
        KV,
        `    assert(result.type === 'put', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);`,
        `    assert(result.type === 'put', 'the outcome is of another request');
    return answer(this.#node, Math.max(revision, this.#node.status().revision), result.result);`,
      ),
    ],
  },
  {
    name: 'goes-on-without-a-log',
    area: 'member',
    story: 'a member whose log cannot be written says so and runs on: it never answers again',
    edits: [
      edit(
        RUN,
        `return this.#ports.onFatal('the log cannot be written', error);
    }
    if (this.stopped)`,
        `return this.#ports.log.error('the log cannot be written', { error: String(error) });
    }
    if (this.stopped)`,
      ),
    ],
  },
  {
    name: 'turn-limit-drops-entries',
    area: 'member',
    story: 'committed entries beyond what one turn applies are never applied: writes are missing',
    edits: [
      edit(LOG, 'this.#applying += entries.length;', 'this.#applying = this.#commit;'),
      edit(
        APPLY,
        `    assert(
      entry.index === this.#applied + 1,
      \`apply in order: \${entry.index} after \${this.#applied}\`,
    );\n`,
        '',
      ),
    ],
  },
];

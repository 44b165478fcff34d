/** Mistakes in leases: which there are, what hangs on them, and how long they live. */
import { edit, type Mutant } from '../mutant.ts';

const APPLY_REQUEST = 'src/member/apply-request.ts';
const ATTACHMENTS = 'src/lease/attachments.ts';
const HUB = 'src/mvcc/watch-hub.ts';
const LESSOR = 'src/lease/lessor.ts';
const MEMBER = 'src/member/member.ts';
const QUESTIONS = 'src/service/lease-questions.ts';
const STATE = 'src/member/replicated-state.ts';

const TIMES: readonly Mutant[] = [
  {
    name: 'deposed-leader-goes-on-revoking',
    area: 'lease',
    story:
      'a leader keeps its expiries when deposed, and has the next one revoke what is kept alive',
    expected: 'lease: gone before the time that its client was told',
    edits: [
      edit(
        MEMBER,
        'if (this.#leads()) this.#doDuties();',
        'if (this.#machine.state.lessor.isPrimary) this.#doDuties();',
      ),
      edit(
        MEMBER,
        `    this.#reads.askAgain();
    this.#machine.state.lessor.demote();`,
        '    this.#reads.askAgain();',
      ),
    ],
  },
  {
    name: 'lease-not-extended-by-new-leader',
    area: 'lease',
    story: 'a new leader counts from the grant: leases that were kept alive at the old one end',
    expected: 'lease: gone before the time that its client was told',
    edits: [
      edit(
        LESSOR,
        `    if (this.#isPrimary) {
      this.#start(lease, nowTick);
      this.#expiries.add(lease);`,
        `    this.#start(lease, nowTick);
    if (this.#isPrimary) {
      this.#expiries.add(lease);`,
      ),
      edit(
        LESSOR,
        `      this.#start(lease, nowTick);
      const left = remainingTtlS === 0 ? ttlS : remainingTtlS;
      lease.expiryTick =`,
        `      lease.revokeAgainTick = 0;
      if (lease.expiryTick > 0) continue;
      const left = remainingTtlS === 0 ? ttlS : remainingTtlS;
      lease.expiryTick =`,
      ),
    ],
  },
  {
    name: 'logged-lease-time-ignored',
    area: 'lease',
    story: 'a new leader gives every lease its whole time again, whatever was logged of it',
    expected: 'lease: outlives its time by more than an election',
    edits: [
      edit(
        LESSOR,
        'const left = remainingTtlS === 0 ? ttlS : remainingTtlS;',
        'const left = ttlS;',
      ),
    ],
  },
  {
    name: 'renewed-under-a-logged-time',
    area: 'lease',
    story:
      'a renewal does not take back the shorter time in the log: the next leader ends it early',
    expected: 'lease: gone before the time that its client was told',
    edits: [
      edit(
        LESSOR,
        'return lease.mark > 0 || lease.record.remainingTtlS > 0 ? lease.mark : undefined;',
        'return undefined;',
      ),
    ],
  },
  {
    name: 'lease-renewed-without-asking',
    area: 'lease',
    story: 'a leader renews without asking whether it still leads: the lease may be gone elsewhere',
    expected: 'lease: gone before the time that its client was told',
    edits: [
      edit(
        QUESTIONS,
        `  const barrier = await node.readBarrier();
  if (!barrier.ok) return barrier;
  for (let resets`,
        '  for (let resets',
      ),
    ],
  },
  {
    name: 'expired-lease-renewed',
    area: 'lease',
    story: 'a lease whose revoke was asked for is renewed: its client is told that it lives',
    expected: 'lease: gone before the time that its client was told',
    edits: [edit(LESSOR, `    if (lease.revokeAgainTick > 0) return err('leaseExpired');\n`, '')],
  },
  {
    name: 'lease-revoked-once-only',
    area: 'lease',
    story: 'a revoke that gets lost is not asked for again: the lease and its keys stay for ever',
    expected: 'lease: outlives its time by more than an election',
    edits: [
      edit(
        LESSOR,
        'dueTick: (lease: Lease): number => Math.max(lease.expiryTick, lease.revokeAgainTick),',
        `dueTick: (lease: Lease): number =>
    lease.revokeAgainTick > 0 ? Number.MAX_SAFE_INTEGER : lease.expiryTick,`,
      ),
    ],
  },
];

const KEYS: readonly Mutant[] = [
  {
    name: 'old-lease-keeps-a-moved-key',
    area: 'lease',
    story: 'a key put again under another lease stays on the old one, too, and goes with it',
    expected: 'oracle: state',
    edits: [
      edit(
        ATTACHMENTS,
        '    if (before !== undefined) this.#letGo(name, before);\n    this.#leaseOf',
        '    this.#leaseOf',
      ),
    ],
  },
  {
    name: 'put-without-lease-stays-attached',
    area: 'lease',
    story: 'a key put again without a lease stays on the one it had, and goes with it',
    expected: 'oracle: state',
    edits: [edit(LESSOR, '    else this.#attachments.detach(key);\n', '')],
  },
  {
    name: 'revoke-deletes-one-key',
    area: 'lease',
    story: 'a revoke deletes the first key of the lease; the others stay without a lease',
    expected: 'oracle: state',
    edits: [
      edit(
        APPLY_REQUEST,
        'const deleted = state.store.txn({ compare: [], success, failure: [] });',
        'const first = success.slice(0, 1);\n  const deleted = state.store.txn({ compare: [], success: first, failure: [] });',
      ),
    ],
  },
  {
    name: 'revoke-takes-a-revision-for-each-key',
    area: 'lease',
    story: 'the keys of a lease go one revision after the other: readers see some of them',
    expected: 'oracle: state',
    edits: [
      edit(
        APPLY_REQUEST,
        'const deleted = state.store.txn({ compare: [], success, failure: [] });',
        `const all = success.map((op) => state.store.txn({ compare: [], success: [op], failure: [] }));
  const deleted = all.at(-1) ?? ok(undefined);`,
      ),
      // Whoever tells the watchers would notice the revisions that were left out.
      edit(HUB, 'assert(revision === this.#revision + 1,', 'assert(revision > this.#revision,'),
    ],
  },
  {
    name: 'keys-of-leases-forgotten-at-restart',
    area: 'lease',
    story: 'a restart knows the leases but not their keys: a revoke deletes them elsewhere only',
    expected: 'oracle: state',
    edits: [
      edit(
        STATE,
        '  for (const { key, lease } of store.leasedKeys()) lessor.keyChanged(key, lease);\n',
        '',
      ),
    ],
  },
  {
    name: 'put-on-an-unknown-lease',
    area: 'lease',
    story: 'a put names a lease that is gone and is not refused: its key stays for ever',
    expected: 'oracle: answer',
    edits: [
      edit(
        'src/mvcc/txn.ts',
        `  if (request.lease !== 0n && !leaseExists(request.lease)) return 'leaseNotFound';\n`,
        '',
      ),
    ],
  },
];

export const LEASE_MUTANTS: readonly Mutant[] = [...TIMES, ...KEYS];

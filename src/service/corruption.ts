import { formatId, type MemberId, type Revision } from '../lib/ids.ts';
import type { MemberNode } from '../member/node.ts';
import type { HashKvResult } from '../mvcc/hash-kv.ts';
import type { Clock } from '../ports/clock.ts';
import { hashInPieces } from './maintenance.ts';

/**
 * Whether all members hold the same data, by comparing hashes at one revision (etcd's corruption
 * checks). Only hashes of equal compactions compare. Who differs from the majority, or else from
 * the leader, gets the CORRUPT alarm, which stops the cluster from handing out what may be wrong.
 */

export interface CorruptionChecks {
  /** Of the newest data, on the leader; 0: never. */
  readonly checkMs: number;
  /** Of the data at each compaction, on the leader; 0: never. */
  readonly compactHashCheckMs: number;
}

export interface CorruptionParts {
  readonly clock: Clock;
  readonly pause: () => Promise<void>;
  /** Of one question to another member. */
  readonly askTimeoutMs: number;
}

export class CorruptionMonitor {
  readonly #node: MemberNode;
  readonly #parts: CorruptionParts;
  readonly #timers: readonly Disposable[];
  /** The compaction at which everybody was found equal, or somebody not. */
  #doneAt: Revision = 0;
  #isChecking = false;

  constructor(node: MemberNode, checks: CorruptionChecks, parts: CorruptionParts) {
    this.#node = node;
    this.#parts = parts;
    const { clock } = parts;
    const { checkMs, compactHashCheckMs } = checks;
    const repeat = (everyMs: number, check: () => Promise<void>): Disposable[] =>
      everyMs === 0 ? [] : [clock.every(everyMs, () => void this.#alone(check))];
    this.#timers = [
      ...repeat(checkMs, () => this.checkNewest()),
      ...repeat(compactHashCheckMs, () => this.checkCompacted()),
    ];
  }

  close(): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  /** On the leader; elsewhere nothing. Members that are behind are left out. */
  async checkNewest(): Promise<void> {
    if (!this.#leads() || !(await this.#node.readBarrier()).ok) return;
    await this.#compareAt(this.#node.store.revision);
  }

  /** As {@link checkNewest}, again and again until everybody has been compared at a compaction. */
  async checkCompacted(): Promise<void> {
    const revision = this.#node.store.compactRevision;
    if (!this.#leads() || revision === 0 || revision === this.#doneAt) return;
    if (await this.#compareAt(revision)) this.#doneAt = revision;
  }

  /** One check at a time: each may take long. */
  async #alone(check: () => Promise<void>): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    await check();
    this.#isChecking = false;
  }

  /** True: everybody could be compared. */
  async #compareAt(revision: Revision): Promise<boolean> {
    const own = await hashInPieces(this.#node, revision, this.#parts.pause);
    if (!own.ok) return false;
    const members = this.#node.members();
    const { memberId } = this.#node.status();
    const hashes = new Map<MemberId, number>([[memberId, own.value.hash]]);
    for (const { id } of members) {
      if (id === memberId) continue;
      const hash = await hashOfPeer(this.#node, id, own.value, this.#parts.askTimeoutMs);
      if (hash !== undefined) hashes.set(id, hash);
    }
    for (const id of corruptAmong(hashes, memberId, members.length)) await this.#raise(id);
    return hashes.size === members.length;
  }

  async #raise(memberId: MemberId): Promise<void> {
    const isOn = this.#node
      .alarms()
      .some((alarm) => alarm.memberId === memberId && alarm.type === 'CORRUPT');
    if (isOn || !this.#leads()) return;
    const request = { action: 'activate', memberId, type: 'CORRUPT' } as const;
    // What fails here is found again by the next check.
    await this.#node.propose({ type: 'alarm', request }, this.#node.auth.rootInfo());
  }

  #leads(): boolean {
    const { leader, memberId } = this.#node.status();
    return leader === memberId;
  }
}

/**
 * Before a member serves anybody (etcd's --experimental-initial-corrupt-check): undefined, or who
 * differs. Members that do not answer or have moved on prove nothing.
 */
export async function findInitialCorruption(
  node: MemberNode,
  { pause, askTimeoutMs }: Omit<CorruptionParts, 'clock'>,
): Promise<string | undefined> {
  const own = await hashInPieces(node, node.store.revision, pause);
  if (!own.ok) return undefined;
  const { memberId } = node.status();
  const peers = node.members().filter(({ id }) => id !== memberId);
  const hashes = await Promise.all(
    peers.map(async ({ id }) => ({
      id,
      hash: await hashOfPeer(node, id, own.value, askTimeoutMs),
    })),
  );
  const others = hashes.filter(({ hash }) => hash !== undefined && hash !== own.value.hash);
  if (others.length === 0) return undefined;
  const who = others.map(({ id }) => formatId(id)).join(', ');
  return `the data at revision ${own.value.hashRevision} differs from that of ${who}`;
}

/** Who does not have what the majority has; without a majority, what the leader has. */
export function corruptAmong(
  hashes: ReadonlyMap<MemberId, number>,
  leader: MemberId,
  memberCount: number,
): readonly MemberId[] {
  const counts = new Map<number, number>();
  for (const hash of hashes.values()) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  const common = [...counts].find(([, count]) => count > memberCount / 2)?.[0];
  const right = common ?? hashes.get(leader);
  return [...hashes].filter(([, hash]) => hash !== right).map(([id]) => id);
}

/** Undefined: nothing that could be compared. */
async function hashOfPeer(
  node: MemberNode,
  peer: MemberId,
  own: HashKvResult,
  timeoutMs: number,
): Promise<number | undefined> {
  const question = { type: 'hashKv', revision: own.hashRevision } as const;
  const answered = await node.ask(peer, question, timeoutMs);
  if (!answered.ok || answered.value.type !== 'hash') return undefined;
  const { hash, compactRevision } = answered.value;
  return compactRevision === own.compactRevision ? hash : undefined;
}

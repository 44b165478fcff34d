/**
 * Leases against real time. A key that was put on a lease is there, and a time to live is at
 * least as long, as the last answer to a grant or a renewal promised, counted from the question.
 * And what has ended stays so: nobody renews, sees or uses a lease that somebody was told is gone.
 * Nobody else writes the keys.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import { fieldsOf } from './history/guards.ts';
import type { Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';

const NAME = 'lease';
const FS = [
  'lease-grant',
  'lease-put',
  'lease-keep-alive',
  'lease-read',
  'lease-look',
  'lease-revoke',
];

interface Known {
  /** Who was granted it: nobody else revokes it. */
  readonly owner: number;
  readonly promises: Promised[];
  /** The own key was put, and that was acknowledged. */
  hasKey: boolean;
  /** The first to be told that it has ended. */
  goneBy: Told | undefined;
}

/** An operation that was answered. */
interface Told {
  readonly operation: Operation;
  readonly completion: Op;
}

interface Promised extends Told {
  readonly untilNs: number;
}

/** Revokes that were asked for: of that lease, or, where nobody knows, of any of that process. */
interface Revoke {
  readonly index: number;
  readonly lease: string | undefined;
  readonly process: number;
}

/** What cannot both be. */
interface Contradiction {
  readonly lease: string;
  readonly words: string;
  readonly before: Told;
  readonly after: Told;
}

/** `fastestClock`: by how much the servers' clocks may run faster than those of clients. */
export function leaseChecker(fastestClock: number): Checker {
  return { name: NAME, check: (history) => check(history, fastestClock) };
}

function check(history: readonly Op[], fastestClock: number): CheckResult {
  const operations = operationsOf(history, FS);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  const leases = new Map<string, Known>();
  const revokes = revokesIn(operations.value);
  let judged = 0;
  for (const operation of operations.value) {
    const { completion } = operation;
    const lease = leaseOf(operation);
    if (completion === undefined || lease === undefined) continue;
    const known = leases.get(lease) ?? newLease(operation.process);
    leases.set(lease, known);
    const told = { operation, completion };
    const mayBeOver = revokes.some(
      (revoke) =>
        revoke.index < completion.index &&
        (revoke.lease === undefined ? revoke.process === known.owner : revoke.lease === lease),
    );
    const early = mayBeOver ? undefined : beforeItsTime(known, told, fastestClock);
    const wrong = afterItsEnd(known, told) ?? early;
    if (wrong !== undefined) return broken({ lease, ...wrong });
    if (operation.f === 'lease-read' && known.hasKey && !mayBeOver) judged += 1;
    learn(known, told, fastestClock);
  }
  const details = { leases: leases.size, reads: judged };
  if (judged === 0) return unknownCheck(NAME, `${leases.size} leases, and nobody looked at a key`);
  const summary = `${judged} reads of keys on ${leases.size} leases: all there in time`;
  return { name: NAME, validity: 'valid', summary, details };
}

type Wrong = Omit<Contradiction, 'lease'> | undefined;

function newLease(owner: number): Known {
  return { owner, promises: [], hasKey: false, goneBy: undefined };
}

/** Of an operation that was answered well. */
function leaseOf({ completion }: Operation): string | undefined {
  const lease = completion?.type === 'ok' ? fieldsOf(completion.value)?.lease : undefined;
  return typeof lease === 'string' ? lease : undefined;
}

function revokesIn(operations: readonly Operation[]): readonly Revoke[] {
  return operations
    .filter(({ f }) => f === 'lease-revoke')
    .map((operation) => {
      const { invoke, process } = operation;
      return { index: invoke.index, lease: leaseOf(operation), process };
    });
}

/** Of operations that were asked for after somebody was told that the lease is gone. */
function afterItsEnd(known: Known, told: Told): Wrong {
  const { goneBy } = known;
  const { operation } = told;
  if (goneBy === undefined || operation.invoke.index < goneBy.completion.index) return undefined;
  if (!showsThatItIsThere(told)) return undefined;
  const words = `${who(told)} found it there after ${who(goneBy)} had been told that it is gone`;
  return { words, before: goneBy, after: told };
}

function showsThatItIsThere({ operation: { f }, completion }: Told): boolean {
  const { ttlS, isThere } = fieldsOf(completion.value) ?? {};
  if (f === 'lease-put') return true;
  if (f === 'lease-read') return isThere === true;
  if (f === 'lease-look') return Number(ttlS) >= 0;
  return f === 'lease-keep-alive' && Number(ttlS) > 0;
}

function beforeItsTime(known: Known, told: Told, fastestClock: number): Wrong {
  const { operation, completion } = told;
  const { isThere, ttlS } = fieldsOf(completion.value) ?? {};
  const before = longest(known.promises, operation.invoke);
  if (before === undefined || completion.time >= before.untilNs) return undefined;
  const leftS = ((before.untilNs - completion.time) / 1e9) * fastestClock;
  const promise = `before the time that ${who(before)} was told`;
  if (operation.f === 'lease-read' && known.hasKey && isThere === false) {
    return { words: `${who(told)} found its key gone ${promise}`, before, after: told };
  }
  // Answers are in whole seconds, rounded down.
  const isShort = operation.f === 'lease-look' && Number(ttlS) + 1 < leftS;
  if (!isShort && !(operation.f === 'lease-keep-alive' && ttlS === 0)) return undefined;
  const words = `${who(told)} was told that ${Number(ttlS)} s are left, ${leftS.toFixed(1)} s ${promise}`;
  return { words, before, after: told };
}

/** The longest of those that were made before the question. */
function longest(promises: readonly Promised[], { index }: Op): Promised | undefined {
  return promises
    .filter(({ completion }) => completion.index < index)
    .reduce<Promised | undefined>(
      (best, promise) => (best !== undefined && best.untilNs >= promise.untilNs ? best : promise),
      undefined,
    );
}

function learn(known: Known, told: Told, fastestClock: number): void {
  const { operation, completion } = told;
  const { ttlS, key, lease } = fieldsOf(completion.value) ?? {};
  const { f, invoke } = operation;
  if (f === 'lease-put' && key === `lease/own/${lease}`) known.hasKey = true;
  const promises = f === 'lease-grant' || f === 'lease-keep-alive';
  const time = Number(ttlS);
  if (promises && time > 0) {
    known.promises.push({ ...told, untilNs: invoke.time + (time * 1e9) / fastestClock });
  }
  const isGone = (f === 'lease-keep-alive' && time === 0) || (f === 'lease-look' && time < 0);
  const isFirst = completion.index < (known.goneBy?.completion.index ?? Number.POSITIVE_INFINITY);
  if ((isGone || f === 'lease-revoke') && isFirst) known.goneBy = told;
}

function who({ operation }: Told): string {
  return `process ${operation.process}`;
}

function broken({ lease, words, before, after }: Contradiction): CheckResult {
  const ops = [before, after]
    .flatMap(({ operation: { invoke }, completion }) => [invoke, completion])
    .toSorted((a, b) => a.index - b.index);
  const sentence = `lease ${lease}: ${words}`;
  const [first, last] = [ops[0]!, ops.at(-1)!];
  return {
    name: NAME,
    validity: 'invalid',
    summary: sentence,
    details: { lease },
    evidence: { sentence, ops, fromIndex: first.index, toIndex: last.index },
  };
}

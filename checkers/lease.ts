/**
 * Leases against real time: a key that was put on a lease is there for as long as the last answer
 * to a grant or a renewal promised, counted from the question. Nobody else writes such a key.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import { fieldsOf } from './history/guards.ts';
import type { Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';

const NAME = 'lease';
const FS = ['lease-grant', 'lease-put', 'lease-keep-alive', 'lease-read', 'lease-revoke'];

interface Known {
  /** The own key was put, and that was acknowledged. */
  hasKey: boolean;
  untilNs: number;
  /** Somebody asked for its end. */
  isOver: boolean;
  promise: Operation;
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
  let judged = 0;
  // A client has one lease and one operation at a time, so its operations are in order.
  for (const operation of operations.value) {
    const { invoke, completion, f } = operation;
    const fields = completion?.type === 'ok' ? fieldsOf(completion.value) : undefined;
    const id = fields?.lease;
    if (typeof id !== 'string' || completion === undefined) {
      if (f === 'lease-revoke') endAll(leases, operation.process);
      continue;
    }
    const known = leases.get(id);
    if (f === 'lease-grant' || f === 'lease-keep-alive') {
      const ttlS = Number(fields?.ttlS);
      const untilNs = invoke.time + (ttlS * 1e9) / fastestClock;
      const fresh: Known = { hasKey: false, untilNs: 0, isOver: false, promise: operation };
      const lease = known ?? fresh;
      leases.set(id, lease);
      if (untilNs > lease.untilNs && ttlS > 0)
        Object.assign(lease, { untilNs, promise: operation });
      continue;
    }
    if (known === undefined) continue;
    if (f === 'lease-revoke') known.isOver = true;
    if (f === 'lease-put' && fields?.key === `lease/own/${id}`) known.hasKey = true;
    if (f !== 'lease-read' || !known.hasKey || known.isOver) continue;
    judged += 1;
    if (fields?.isThere === true || completion.time >= known.untilNs) continue;
    return broken(id, { read: operation, promise: known.promise });
  }
  const details = { leases: leases.size, reads: judged };
  if (judged === 0) return unknownCheck(NAME, `${leases.size} leases, and nobody looked at a key`);
  const summary = `${judged} reads of keys on ${leases.size} leases: all there in time`;
  return { name: NAME, validity: 'valid', summary, details };
}

/** A revoke of unknown outcome: whatever lease that process had. */
function endAll(leases: ReadonlyMap<string, Known>, process: number): void {
  for (const known of leases.values()) {
    if (known.promise.process === process) known.isOver = true;
  }
}

function broken(
  id: string,
  { read, promise }: { readonly read: Operation; readonly promise: Operation },
): CheckResult {
  const ops = [promise, read].flatMap(({ invoke, completion }) =>
    completion === undefined ? [invoke] : [invoke, completion],
  );
  const sentence = `process ${read.process} found its key on lease ${id} gone before the time that op ${promise.invoke.index} promised`;
  const [first, last] = [ops[0]!, ops.at(-1)!];
  return {
    name: NAME,
    validity: 'invalid',
    summary: sentence,
    details: { lease: id },
    evidence: { sentence, ops, fromIndex: first.index, toIndex: last.index },
  };
}

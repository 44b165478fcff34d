/**
 * Locks: every answer that says "held" names a revision at which it was. In the order of these
 * revisions, the answers of one acquisition come without those of another in between. And a lock
 * is passed on: whoever asks for one that nobody holds or waits for gets it.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import { fieldsOf } from './history/guards.ts';
import type { Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';

const NAME = 'lock';
const FS = ['lock', 'lock-again', 'lock-work', 'lock-relay'];

interface Proof {
  /** The operation that acquired the lock. */
  readonly acquired: Operation;
  readonly operation: Operation;
  readonly at: number;
}

export function lockChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const operations = operationsOf(history, FS);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  const proofs = proofsIn(operations.value);
  let count = 0;
  for (const [name, all] of proofs) {
    count += all.length;
    const found = interleaved(all.toSorted((a, b) => a.at - b.at));
    if (found !== undefined) return broken(name, found);
  }
  const stuck = operations.value.find(isStuck);
  if (stuck !== undefined) return neverPassedOn(stuck);
  if (count === 0) return unknownCheck(NAME, 'nobody held a lock');
  const summary = `${count} answers to holders of ${proofs.size} locks, one holder at a time`;
  return { name: NAME, validity: 'valid', summary, details: { answers: count } };
}

/** By the lock's name. */
function proofsIn(operations: readonly Operation[]): ReadonlyMap<string, Proof[]> {
  const proofs = new Map<string, Proof[]>();
  /** By process: its last acquisition. */
  const acquisitions = new Map<number, Operation>();
  for (const operation of operations) {
    const { completion, f, process } = operation;
    const fields = completion?.type === 'ok' ? fieldsOf(completion.value) : undefined;
    if (fields === undefined) continue;
    const { name, at, isHeld } = fields;
    // Without a revision it is not held yet, or not any more.
    if (typeof name !== 'string' || typeof at !== 'number') continue;
    if (f === 'lock' || f === 'lock-again') acquisitions.set(process, operation);
    const acquired = acquisitions.get(process);
    if (acquired === undefined || (f === 'lock-work' && isHeld !== true)) continue;
    proofs.set(name, [...(proofs.get(name) ?? []), { acquired, operation, at }]);
  }
  return proofs;
}

/** Of a lock that the client itself let go, with one more lease that waited and does not any more. */
function isStuck({ f, completion }: Operation): boolean {
  return (
    f === 'lock-relay' &&
    completion?.type === 'ok' &&
    fieldsOf(completion.value)?.isPassedOn === false
  );
}

function neverPassedOn({ invoke, completion, process }: Operation): CheckResult {
  const name = String(fieldsOf(completion!.value)?.name);
  const sentence = `nobody gets ${name} any more: process ${process} let it go, and asked in vain`;
  const ops = [invoke, completion!];
  const evidence = { sentence, ops, fromIndex: invoke.index, toIndex: completion!.index };
  return { name: NAME, validity: 'invalid', summary: sentence, details: { lock: name }, evidence };
}

/** The first acquisition that is still held after another was. */
function interleaved(
  proofs: readonly Proof[],
): { readonly before: Proof; readonly between: Proof; readonly after: Proof } | undefined {
  const last = new Map<Operation, Proof>();
  let current: Proof | undefined;
  for (const proof of proofs) {
    const before = last.get(proof.acquired);
    if (current !== undefined && before !== undefined && current.acquired !== proof.acquired) {
      return { before, between: current, after: proof };
    }
    last.set(proof.acquired, proof);
    current = proof;
  }
  return undefined;
}

function broken(
  name: string,
  found: { readonly before: Proof; readonly between: Proof; readonly after: Proof },
): CheckResult {
  const { before, between, after } = found;
  const sentence = `${name} was held by process ${before.operation.process} at revisions ${before.at} and ${after.at}, and by process ${between.operation.process} at ${between.at}`;
  const ops = [before, between, after]
    .flatMap(({ operation: { invoke, completion } }) =>
      completion === undefined ? [invoke] : [invoke, completion],
    )
    .toSorted((a, b) => a.index - b.index);
  const fromIndex = ops[0]!.index;
  const evidence = { sentence, ops, fromIndex, toIndex: ops.at(-1)!.index };
  return { name: NAME, validity: 'invalid', summary: sentence, details: { lock: name }, evidence };
}

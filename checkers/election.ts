/**
 * Elections: every answer that names a leader, by the revision at which its key was created, also
 * tells a revision at which it led. Candidates come in the order of their keys, and nobody who was
 * overtaken comes back; so in the order of the second revisions, the first never fall. And the
 * leader's value is what it said last.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import { fieldsOf, isJsonArray } from './history/guards.ts';
import type { Json, Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';

const NAME = 'election';
const FS = ['campaign', 'proclaim', 'election-leader', 'election-observe'];

/** Somebody led at a revision. */
interface Proof {
  readonly name: string;
  /** Of the leader's key. */
  readonly rev: number;
  readonly at: number;
  readonly value: string | undefined;
  /** It wrote that value there; otherwise it was read. */
  readonly isWrite: boolean;
  readonly operation: Operation;
}

export function electionChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const operations = operationsOf(history, FS);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  // What was written at a revision can be read at it.
  const proofs = operations.value
    .flatMap(proofsOf)
    .toSorted((a, b) => a.at - b.at || Number(b.isWrite) - Number(a.isWrite));
  const unsure = valuesThatMayBe(operations.value);
  const leaders = new Map<string, Proof>();
  const written = new Map<string, Proof>();
  for (const proof of proofs) {
    const { name, rev, at, value, isWrite } = proof;
    const before = leaders.get(name);
    if (before !== undefined && rev !== before.rev && (rev < before.rev || at === before.at)) {
      const words = `${name} was led by ${before.rev} at revision ${before.at} and by ${rev} at ${at}`;
      return broken(words, before, proof);
    }
    leaders.set(name, proof);
    const last = written.get(name);
    if (isWrite) written.set(name, proof);
    else if (last?.rev === rev && value !== undefined && value !== last.value && last.at <= at) {
      if (unsure.has(value)) continue;
      const words = `the leader ${rev} of ${name} said ${value} at revision ${at}, and had said ${last.value} at ${last.at}`;
      return broken(words, last, proof);
    }
  }
  if (proofs.length === 0) return unknownCheck(NAME, 'nobody was elected');
  const summary = `${proofs.length} answers about leaders of ${leaders.size} elections, one leader at a time`;
  return { name: NAME, validity: 'valid', summary, details: { answers: proofs.length } };
}

function proofsOf(operation: Operation): Proof[] {
  const { completion, f } = operation;
  if (completion?.type !== 'ok') return [];
  const fields = fieldsOf(completion.value) ?? {};
  const seen = isJsonArray(fields.seen) ? fields.seen : [completion.value];
  return seen.flatMap((one) => proofOf(one, String(fields.name), f, operation));
}

function proofOf(one: Json, name: string, f: string, operation: Operation): Proof[] {
  const { rev, at, value } = fieldsOf(one) ?? {};
  if (typeof rev !== 'number' || typeof at !== 'number') return [];
  const said = typeof value === 'string' ? value : undefined;
  return [{ name, rev, at, value: said, isWrite: f === 'proclaim', operation }];
}

/** What candidates brought, and what leaders said without an answer: nobody knows when. */
function valuesThatMayBe(operations: readonly Operation[]): ReadonlySet<Json | undefined> {
  const unsure = operations.filter(
    ({ f, completion }) => f === 'campaign' || (f === 'proclaim' && completion?.type !== 'ok'),
  );
  return new Set(unsure.map(({ invoke }) => fieldsOf(invoke.value)?.value));
}

function broken(sentence: string, before: Proof, after: Proof): CheckResult {
  const ops = [before, after]
    .flatMap(({ operation: { invoke, completion } }) =>
      completion === undefined ? [invoke] : [invoke, completion],
    )
    .toSorted((a, b) => a.index - b.index);
  const [first, last] = [ops[0]!, ops.at(-1)!];
  const evidence = { sentence, ops, fromIndex: first.index, toIndex: last.index };
  const details = { election: after.name };
  return { name: NAME, validity: 'invalid', summary: sentence, details, evidence };
}

/**
 * Watchers against each other: each is told of revisions in their order, whole ones at a time;
 * and of two that watch the same, neither lacks what the other was told in between.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import { fieldsOf, isJsonArray } from './history/guards.ts';
import type { Json, Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';

const NAME = 'watch';

/** One event as a client was told it. */
interface Told {
  readonly operation: Operation;
  /** Of all clients. */
  readonly watcher: string;
  readonly span: string;
  readonly at: number;
  readonly key: string;
  readonly type: string;
}

/** What one watcher was told without a gap, in order. */
interface Run {
  readonly span: string;
  readonly told: Told[];
}

export function watchChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const operations = operationsOf(history, ['watch-read']);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  const runs = runsIn(operations.value);
  const events = runs.reduce((sum, { told }) => sum + told.length, 0);
  for (const { told } of runs) {
    const at = told.findIndex((event, n) => n > 0 && event.at < told[n - 1]!.at);
    if (at > 0) return broken('was told too late of', told[at - 1]!, told[at]!);
  }
  const missing = missingIn(runs);
  if (missing !== undefined) return broken('was not told of', missing.by, missing.event);
  if (events === 0) return unknownCheck(NAME, 'no watcher was told of anything');
  const summary = `${events} events in order, none left out between those of ${runs.length} watchers`;
  return { name: NAME, validity: 'valid', summary, details: { events, watchers: runs.length } };
}

function runsIn(operations: readonly Operation[]): readonly Run[] {
  const open = new Map<string, Run>();
  const runs: Run[] = [];
  for (const operation of operations) {
    const { completion, process } = operation;
    const fields = completion?.type === 'ok' ? fieldsOf(completion.value) : undefined;
    if (fields === undefined) continue;
    const told = isJsonArray(fields.events) ? fields.events.flatMap(toldOf(operation)) : [];
    for (const event of told) {
      const run = open.get(event.watcher) ?? { span: event.span, told: [] };
      if (!open.has(event.watcher)) runs.push(run);
      open.set(event.watcher, run);
      run.told.push(event);
    }
    // What was not written down is a gap for every watcher of the client.
    if (fields.left === 0) continue;
    for (const watcher of open.keys()) {
      if (watcher.startsWith(`${process} `)) open.delete(watcher);
    }
  }
  return runs;
}

function toldOf(operation: Operation): (event: Json) => Told[] {
  return (event) => {
    const { watcher, span, at, key, type } = fieldsOf(event) ?? {};
    if (typeof at !== 'number') return [];
    const name = `${operation.process} ${String(watcher)}`;
    const words = { span: String(span), key: String(key), type: String(type) };
    return [{ operation, watcher: name, at, ...words }];
  };
}

/** Between its first and its last, a watcher is told of all that others of its span are. */
function missingIn(runs: readonly Run[]): { readonly by: Told; readonly event: Told } | undefined {
  const bySpan = new Map<string, Map<string, Told>>();
  for (const { span, told } of runs) {
    const known = bySpan.get(span) ?? new Map<string, Told>();
    bySpan.set(span, known);
    for (const event of told) known.set(`${event.at} ${event.key} ${event.type}`, event);
  }
  for (const { span, told } of runs) {
    const own = new Set(told.map(({ at, key, type }) => `${at} ${key} ${type}`));
    const [first, last] = [told[0]!, told.at(-1)!];
    for (const [words, event] of bySpan.get(span)!) {
      // Its first and its last revision may be written down in part.
      if (event.at > first.at && event.at < last.at && !own.has(words)) return { by: last, event };
    }
  }
  return undefined;
}

function broken(verb: string, by: Told, about: Told): CheckResult {
  const what = `${about.type} of ${about.key} at revision ${about.at}`;
  const sentence = `watcher ${by.watcher} of ${by.span} ${verb} ${what}`;
  const ops = [by, about]
    .flatMap(({ operation: { invoke, completion } }) =>
      completion === undefined ? [invoke] : [invoke, completion],
    )
    .toSorted((a, b) => a.index - b.index);
  const [first, last] = [ops[0]!, ops.at(-1)!];
  const evidence = { sentence, ops, fromIndex: first.index, toIndex: last.index };
  return { name: NAME, validity: 'invalid', summary: sentence, details: {}, evidence };
}

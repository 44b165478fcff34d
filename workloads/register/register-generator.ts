/**
 * Reads, writes and compare-and-sets of a few keys at a time. Every value that is written is
 * unique for its key, so that a read names the write it saw: a stale value is never excused by
 * another write of the same value, and the check stays cheap. A key is given up for a fresh one
 * after a fixed number of operations, so that a run of any length has short histories per key.
 */
import type { Random } from '../../src/ports/random.ts';
import { drawWeighted } from '../generator/draw.ts';
import type { Generator, GeneratorContext, Invocation } from '../generator/generator.ts';
import { unfold } from '../generator/sequence.ts';

export interface RegisterWeights {
  readonly read: number;
  readonly write: number;
  readonly cas: number;
}

export interface RegisterOptions {
  /** Keys in use at a time. Few, so that clients meet on them. */
  readonly keysActive: number;
  readonly opsPerKey: number;
  /**
   * This many threads, the last ones, do nothing but read. A client that writes at a member
   * which was cut off waits there for its timeout; one that only reads goes on asking, and
   * meets what a member may not answer any more.
   */
  readonly readers: number;
  /** Shares of the functions in what the other threads do, in proportion. */
  readonly weights: RegisterWeights;
  /**
   * Operations in a row on one key. Clients that ask at about the same time then meet on it,
   * which is what compare-and-sets need to race.
   */
  readonly opsPerVisit: number;
}

export const REGISTER_OPTIONS: RegisterOptions = {
  keysActive: 4,
  opsPerKey: 300,
  readers: 3,
  weights: { read: 10, write: 40, cas: 50 },
  opsPerVisit: 6,
};

const ONLY_READS: RegisterWeights = { read: 1, write: 0, cas: 0 };

/** How many of the newest values a compare-and-set expects one of. */
const RECENT_MAX = 3;

/** Chance of the newest value, in percent; otherwise any of the recent ones. */
const NEWEST_PERCENT = 70;

interface KeyState {
  readonly key: string;
  readonly opsLeft: number;
  /** The next value to be written. */
  readonly nextValue: number;
  /** Values that may well be there now, newest first. */
  readonly recent: readonly number[];
}

interface State {
  readonly keys: readonly KeyState[];
  readonly keysMade: number;
  readonly visiting: number;
  readonly visitOpsLeft: number;
}

/** Endless; keys are `register/0`, `register/1`, … */
export function registerGenerator(options: RegisterOptions = REGISTER_OPTIONS): Generator {
  const { keysActive, opsPerKey } = options;
  const keys = Array.from({ length: keysActive }, (_, number) => ({
    ...freshKey(number, opsPerKey),
    // The first keys end one after the other, or all histories would begin anew at once.
    opsLeft: Math.ceil((opsPerKey * (number + 1)) / keysActive),
  }));
  const state: State = { keys, keysMade: keysActive, visiting: 0, visitOpsLeft: 0 };
  return unfold(state, (current, context) => draw(options, current, context));
}

function draw(
  options: RegisterOptions,
  state: State,
  context: GeneratorContext,
): { readonly op: Invocation; readonly state: State } {
  const { random, thread, concurrency } = context;
  const isVisitOver = state.visitOpsLeft === 0;
  const visiting = isVisitOver ? random.below(state.keys.length) : state.visiting;
  const visitOpsLeft = (isVisitOver ? options.opsPerVisit : state.visitOpsLeft) - 1;
  const current = state.keys[visiting]!;
  const isReader = thread >= concurrency - options.readers;
  const weights = isReader ? ONLY_READS : options.weights;
  const { op, key } = drawOp(weights, current, random);
  const isSpent = key.opsLeft === 0;
  const next = isSpent ? freshKey(state.keysMade, options.opsPerKey) : key;
  return {
    op,
    state: {
      keys: state.keys.with(visiting, next),
      keysMade: state.keysMade + (isSpent ? 1 : 0),
      visiting,
      visitOpsLeft,
    },
  };
}

function drawOp(
  weights: RegisterWeights,
  state: KeyState,
  random: Random,
): { readonly op: Invocation; readonly key: KeyState } {
  const { read, write, cas } = weights;
  const choice = drawWeighted(random, [read, write, cas]);
  const { key } = state;
  const spent = { ...state, opsLeft: state.opsLeft - 1 };
  if (choice === 0) return { op: { f: 'read', value: { key } }, key: spent };
  const to = state.nextValue;
  const recent = [to, ...state.recent].slice(0, RECENT_MAX);
  const written = { ...spent, nextValue: to + 1, recent };
  const from = choice === 2 ? drawExpected(state.recent, random) : undefined;
  if (from === undefined) return { op: { f: 'write', value: { key, value: to } }, key: written };
  return { op: { f: 'cas', value: { key, from, to } }, key: written };
}

/** A value to expect; undefined while nothing was written. */
function drawExpected(recent: readonly number[], random: Random): number | undefined {
  if (recent.length === 0) return undefined;
  const isNewest = random.below(100) < NEWEST_PERCENT;
  return recent[isNewest ? 0 : random.below(recent.length)];
}

function freshKey(number: number, opsPerKey: number): KeyState {
  return { key: `register/${number}`, opsLeft: opsPerKey, nextValue: 1, recent: [] };
}

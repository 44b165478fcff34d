/**
 * Operations in the JSON form of kv-request.ts, over a few keys in three groups, so that prefixes
 * and intervals overlap and clients meet. Every value that is put is unique. Only what the
 * service accepts for its form: no transaction writes a key twice.
 */
import type { Json } from '../../checkers/history/op.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawWeighted } from '../generator/draw.ts';
import type { Generator } from '../generator/generator.ts';
import { unfold } from '../generator/sequence.ts';
import { COMPARE_RESULTS, SORT_ORDERS, SORT_TARGETS } from './kv-request.ts';
import { drawSpan, fieldsOfSpan, isWithin, type Span, type SpanUse } from './kv-span.ts';

export const KV_FS: readonly string[] = ['kv-put', 'kv-delete', 'kv-txn', 'kv-range'];

export interface KvOptions {
  /** How many keys there are in all. */
  readonly keys: number;
  /** Shares of the functions, in proportion. */
  readonly weights: {
    readonly put: number;
    readonly delete: number;
    readonly txn: number;
    readonly range: number;
  };
}

export const KV_OPTIONS: KvOptions = {
  keys: 12,
  weights: { put: 30, delete: 10, txn: 35, range: 25 },
};

/** How many of a key's newest values a guard expects one of. */
const RECENT_MAX = 3;
const NESTED_PERCENT = 12;
const NESTING_MAX = 2;
const COMPARES_MAX = 3;
const OPS_MAX = 4;
/** How far back revisions are asked for. */
const BACK_MAX = 30;
/** Percent of the revisions asked for that lie ahead instead, and are mostly refused. */
const AHEAD_PERCENT = 4;

type JsonFields = { readonly [field: string]: Json };

interface State {
  /** Values are numbers as texts, from 1. */
  readonly nextValue: number;
  /** Of each key, the newest first. */
  readonly recent: ReadonlyMap<string, readonly string[]>;
}

/** Endless; keys are `kv/a/0`, `kv/b/0`, … */
export function kvGenerator(options: KvOptions = KV_OPTIONS): Generator {
  const { put, delete: remove, txn, range } = options.weights;
  const first: State = { nextValue: 1, recent: new Map() };
  return unfold(first, (state, { random }) => {
    const draft = new Draft(options.keys, random, state);
    const f = KV_FS[drawWeighted(random, [put, remove, txn, range])]!;
    const value = draft.draw(f);
    return { op: { f, value }, state: draft.state };
  });
}

/** Keys that a transaction writes. */
interface Touched {
  readonly puts: string[];
  readonly deletes: Span[];
}

/** One operation while it is drawn; the state it came from stays as it is. */
class Draft {
  readonly #keys: number;
  readonly #random: Random;
  #nextValue: number;
  readonly #recent: Map<string, readonly string[]>;

  constructor(keys: number, random: Random, state: State) {
    this.#keys = keys;
    this.#random = random;
    this.#nextValue = state.nextValue;
    this.#recent = new Map(state.recent);
  }

  get state(): State {
    return { nextValue: this.#nextValue, recent: this.#recent };
  }

  draw(f: string): Json {
    if (f === 'kv-put') return this.#put(this.#span('key').key);
    if (f === 'kv-delete') return this.#delete(this.#span('written'));
    if (f === 'kv-range') return { ...this.#range(), ...this.#flag('serializable', 25) };
    return this.#chance(15) ? this.#readTxn() : this.#txn({ puts: [], deletes: [] }, NESTING_MAX);
  }

  #put(key: string): JsonFields {
    const prevKv = this.#flag('prevKv', 40);
    if (this.#chance(8)) return { key, ignoreValue: true, ...prevKv };
    const value = String(this.#nextValue);
    this.#nextValue += 1;
    this.#recent.set(key, [value, ...(this.#recent.get(key) ?? [])].slice(0, RECENT_MAX));
    return { key, value, ...prevKv };
  }

  #delete(span: Span): JsonFields {
    return { ...fieldsOfSpan(span), ...this.#flag('prevKv', 40) };
  }

  #range(): JsonFields {
    const sort: JsonFields = this.#chance(40)
      ? { sortOrder: this.#oneOf(SORT_ORDERS), sortTarget: this.#oneOf(SORT_TARGETS) }
      : {};
    const filters = ['minModBack', 'maxModBack', 'minCreateBack', 'maxCreateBack'];
    const filter: JsonFields = this.#chance(20)
      ? { [this.#oneOf(filters)]: this.#below(BACK_MAX) }
      : {};
    const past: JsonFields = this.#chance(25) ? { revisionBack: this.#back() } : {};
    // Beyond the last key other workloads have theirs: enough to see a few.
    if (this.#chance(3)) {
      const { key } = this.#span('key');
      return { key, rangeEnd: '\0', limit: 1 + this.#below(5), ...past };
    }
    const limit: JsonFields = this.#chance(35) ? { limit: 1 + this.#below(5) } : {};
    return {
      ...fieldsOfSpan(this.#span('read')),
      ...limit,
      ...past,
      ...sort,
      ...filter,
      ...this.#flag('keysOnly', 10),
      ...this.#flag('countOnly', 10),
    };
  }

  /** Ranges only, which never go through the log; some may be stale. */
  #readTxn(): JsonFields {
    const ranges = (): Json => this.#times(OPS_MAX, () => ({ op: 'range', ...this.#range() }));
    return {
      compare: this.#times(COMPARES_MAX, () => this.#compare()),
      success: ranges(),
      failure: ranges(),
      ...this.#flag('serializable', 50),
    };
  }

  /** Its branches share `touched` with all that is nested in it, which is stricter than etcd. */
  #txn(touched: Touched, nestingLeft: number): JsonFields {
    const branch = (within: Touched): Json =>
      this.#times(OPS_MAX, () => this.#txnOp(within, nestingLeft));
    const compare = this.#times(COMPARES_MAX, () => this.#compare());
    if (nestingLeft < NESTING_MAX) {
      return { compare, success: branch(touched), failure: branch(touched) };
    }
    const fresh = (): Touched => ({ puts: [], deletes: [] });
    return { compare, success: branch(fresh()), failure: branch(fresh()) };
  }

  #txnOp(touched: Touched, nestingLeft: number): Json {
    if (nestingLeft > 0 && this.#chance(NESTED_PERCENT)) {
      return { op: 'txn', ...this.#txn(touched, nestingLeft - 1) };
    }
    const choice = drawWeighted(this.#random, [50, 20, 30]);
    const span = this.#span(choice === 0 ? 'key' : 'written');
    const { key } = span;
    if (choice === 0 && this.#isFree(touched, key)) {
      touched.puts.push(key);
      return { op: 'put', ...this.#put(key) };
    }
    if (choice === 1 && !touched.puts.some((put) => isWithin(put, span))) {
      touched.deletes.push(span);
      return { op: 'delete', ...this.#delete(span) };
    }
    return { op: 'range', ...this.#range() };
  }

  #isFree({ puts, deletes }: Touched, key: string): boolean {
    return !puts.includes(key) && !deletes.some((span) => isWithin(key, span));
  }

  #compare(): Json {
    const result = this.#oneOf(COMPARE_RESULTS);
    const { key } = this.#span('key');
    const choice = drawWeighted(this.#random, [30, 30, 20, 20]);
    const newest = this.#recent.get(key) ?? [];
    if (choice === 0) {
      // Now and then of a key that was never written, which has no value at all.
      const operand = newest.length > 0 ? this.#oneOf(newest) : 'none';
      return { target: 'value', key, result: this.#chance(50) ? 'equal' : result, operand };
    }
    const span = this.#chance(25) ? fieldsOfSpan(this.#span('read')) : { key };
    if (choice === 1) return { target: 'version', ...span, result, operand: this.#below(4) };
    const target = choice === 2 ? 'create' : 'mod';
    return { target, ...span, result, operandBack: this.#back() };
  }

  #back(): number {
    return this.#chance(AHEAD_PERCENT) ? -BACK_MAX : this.#below(BACK_MAX);
  }

  #span(use: SpanUse): Span {
    return drawSpan(this.#keys, this.#random, use);
  }

  /** 1 to `most` of them. */
  #times(most: number, draw: () => Json): readonly Json[] {
    return Array.from({ length: 1 + this.#below(most) }, draw);
  }

  #flag(name: string, percent: number): JsonFields {
    return this.#chance(percent) ? { [name]: true } : {};
  }

  #chance(percent: number): boolean {
    return this.#below(100) < percent;
  }

  #oneOf<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.#below(choices.length)]!;
  }

  #below(bound: number): number {
    return this.#random.below(bound);
  }
}

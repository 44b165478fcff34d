/**
 * The search for an order that explains one partition: depth first over configurations, with
 * linearization just in time. A configuration is what a prefix of the history may have led to:
 * how many returns have been passed, the state, and which pending operations already took
 * effect. An operation takes effect only when a return forces something to happen, which loses
 * no explanation because everything else can be postponed.
 *
 * Three rules keep the branching small; each only skips orders that another order stands for.
 * 1. A pending read that agrees with the state takes effect at once: it changes nothing.
 * 2. An overwrite other than the returning operation takes effect only if then some pending
 *    read or update becomes possible, or a pending overwrite can follow and hide it. Otherwise
 *    it can be postponed.
 * 3. An operation that nobody saw end takes effect only if then some pending read or update
 *    becomes possible: what is hidden at once need not have happened at all.
 */
import { assert } from '../../src/lib/assert.ts';
import type { Call, Model } from './model.ts';
import { EMPTY_PLAN, type Plan, planSearch } from './plan.ts';
import { VisitedSet } from './visited.ts';

export type SearchOutcome =
  /** The steps of this turn are used up; ask again. */
  | 'running'
  | 'linearizable'
  | 'violation'
  /** The configurations need more memory than allowed. */
  | 'memory';

/** Words of a configuration before its bits. */
const AT_RETURN = 0;
const AT_STATE = 1;
const AT_BITS = 2;

/** Bytes of an interned state besides its key's text: map entry, array slot, small objects. */
const STATE_BYTES = 96;

export class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #plan: Plan<Input, Output>;
  readonly #visited: VisitedSet;
  readonly #states: State[] = [];
  readonly #stateIds = new Map<string | number, number>();
  readonly #parent: Int32Array;
  readonly #child: Int32Array;
  #statesBytes = 0;
  #steps = 0;
  #deepestReturn = 0;
  #outcome: SearchOutcome = 'running';

  /** Explains the operations from any of `starts`; a violation means: from none of them. */
  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Call<Input, Output>[],
    starts: readonly State[],
  ) {
    this.#model = model;
    const plan = planSearch(model, operations);
    if (plan === undefined) this.#outcome = 'memory';
    this.#plan = plan ?? EMPTY_PLAN;
    const words = AT_BITS + this.#plan.bitWords;
    this.#visited = new VisitedSet(words);
    this.#parent = new Int32Array(words);
    this.#child = new Int32Array(words);
    for (const start of starts) {
      this.#child.fill(0);
      this.#child[AT_STATE] = this.#intern(start);
      this.#settleAndAdd(Number.POSITIVE_INFINITY);
    }
  }

  /** Calls of the model's step so far. */
  get steps(): number {
    return this.#steps;
  }

  get configurations(): number {
    return this.#visited.rowCount;
  }

  get sizeBytes(): number {
    return this.#visited.sizeBytes + this.#statesBytes;
  }

  /**
   * After a violation: the operation whose return no configuration has passed. The history up
   * to and including this return is the shortest prefix without an explanation.
   */
  stuckAt(): Call<Input, Output> {
    assert(this.#outcome === 'violation', 'only a violation is stuck');
    const stuck = this.#plan.calls[this.#plan.returns[this.#deepestReturn]!];
    assert(stuck !== undefined, 'a violation needs an operation that returned');
    return stuck;
  }

  /** Goes on for about `stepsMax` steps, within `bytesMax` of memory. */
  run(limits: { readonly stepsMax: number; readonly bytesMax: number }): SearchOutcome {
    const stepsEnd = this.#steps + limits.stepsMax;
    while (this.#outcome === 'running' && this.#steps < stepsEnd) {
      if (this.sizeBytes > limits.bytesMax) this.#outcome = 'memory';
      else if (!this.#visited.pop(this.#parent)) this.#outcome = 'violation';
      else this.#expand(limits.bytesMax - this.#statesBytes);
    }
    return this.#outcome;
  }

  /** Stacks every configuration that the parent leads to; the likeliest one last, on top. */
  #expand(bytesMax: number): void {
    const { calls, effects, returns, pending, pendingStart, infos, infoCount } = this.#plan;
    const at = this.#parent[AT_RETURN]!;
    const state = this.#states[this.#parent[AT_STATE]!]!;
    const returning = returns[at]!;
    for (let i = 0; i < infoCount[at]!; i++) {
      const position = infos[i]!;
      if (this.#hasBit(this.#parent, position)) continue;
      const next = this.#step(state, position);
      if (next === undefined || !this.#helps(next, position, false)) continue;
      this.#branch(next, position, bytesMax);
    }
    for (let i = pendingStart[at]!; i < pendingStart[at + 1]!; i++) {
      const position = pending[i]!;
      if (position === returning || effects[position] === 'read') continue;
      if (this.#hasBit(this.#parent, position)) continue;
      const next = this.#step(state, position);
      if (next === undefined) continue;
      if (effects[position] === 'overwrite' && !this.#helps(next, position, true)) continue;
      this.#branch(next, position, bytesMax);
    }
    assert(calls[returning]?.type === 'ok', 'only an operation that ended returns');
    if (effects[returning] === 'read') return;
    const next = this.#step(state, returning);
    if (next !== undefined) this.#branch(next, returning, bytesMax);
  }

  /** Rules 2 and 3: whether anything pending is waiting for `state`, brought about by `except`. */
  #helps(state: State, except: number, overwriteCounts: boolean): boolean {
    const { effects, pending, pendingStart, infos, infoCount } = this.#plan;
    const at = this.#parent[AT_RETURN]!;
    const waits = (position: number): boolean => {
      if (position === except || this.#hasBit(this.#parent, position)) return false;
      if (effects[position] === 'overwrite') return overwriteCounts;
      return this.#step(state, position) !== undefined;
    };
    for (let i = pendingStart[at]!; i < pendingStart[at + 1]!; i++) {
      if (waits(pending[i]!)) return true;
    }
    for (let i = 0; i < infoCount[at]!; i++) {
      if (waits(infos[i]!)) return true;
    }
    return false;
  }

  #branch(next: State, position: number, bytesMax: number): void {
    this.#child.set(this.#parent);
    this.#child[AT_STATE] = this.#intern(next);
    this.#setBit(this.#child, position);
    this.#settleAndAdd(bytesMax);
  }

  /** Takes the child past everything that needs no choice (rule 1), then stacks it. */
  #settleAndAdd(bytesMax: number): void {
    if (this.#outcome !== 'running') return;
    const { effects, returns, pending, pendingStart } = this.#plan;
    const state = this.#states[this.#child[AT_STATE]!]!;
    let at = this.#child[AT_RETURN]!;
    for (; at < returns.length; at++) {
      for (let i = pendingStart[at]!; i < pendingStart[at + 1]!; i++) {
        const position = pending[i]!;
        if (effects[position] !== 'read' || this.#hasBit(this.#child, position)) continue;
        if (this.#step(state, position) !== undefined) this.#setBit(this.#child, position);
      }
      const returning = returns[at]!;
      if (!this.#hasBit(this.#child, returning)) break;
      this.#clearBit(this.#child, returning);
    }
    this.#child[AT_RETURN] = at;
    this.#deepestReturn = Math.max(this.#deepestReturn, at);
    if (at === returns.length) this.#outcome = 'linearizable';
    else if (this.#visited.add(this.#child, bytesMax) === 'full') this.#outcome = 'memory';
  }

  #step(state: State, position: number): State | undefined {
    this.#steps += 1;
    const call = this.#plan.calls[position]!;
    return this.#model.step(state, call.input, call.output);
  }

  #intern(state: State): number {
    const key = this.#model.key(state);
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.#states.length;
    this.#states.push(state);
    this.#stateIds.set(key, id);
    this.#statesBytes += STATE_BYTES + (typeof key === 'string' ? 4 * key.length : 0);
    return id;
  }

  #hasBit(row: Int32Array, position: number): boolean {
    const bit = this.#plan.bitOf[position]!;
    return (row[AT_BITS + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
  }

  #setBit(row: Int32Array, position: number): void {
    const bit = this.#plan.bitOf[position]!;
    row[AT_BITS + (bit >>> 5)]! |= 1 << (bit & 31);
  }

  #clearBit(row: Int32Array, position: number): void {
    const bit = this.#plan.bitOf[position]!;
    row[AT_BITS + (bit >>> 5)]! &= ~(1 << (bit & 31));
  }
}

/**
 * What a linearizability check needs to know of a data type, as a record of pure functions,
 * and the operations it is checked against.
 */

/**
 * How an operation relates to the state; a claim that the search trusts:
 * `read` never changes it; `overwrite` is legal in every state and leads to the same one from
 * all of them; `update` is anything else.
 */
export type Effect = 'read' | 'overwrite' | 'update';

/** `State` may be any value but undefined. All functions are pure and deterministic. */
export interface Model<State, Input, Output> {
  readonly name: string;
  readonly init: State;
  /**
   * The state after `input`, or undefined if `output` cannot be its answer in `state`.
   * An undefined output is an operation that nobody saw end: the state after it took effect,
   * or undefined if in `state` it has none.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal exactly for equal states. */
  key(state: State): string | number;
  effect(input: Input, output: Output | undefined): Effect;
  /**
   * Every state that some order of some of these operations could pass through, the initial
   * one included; more is allowed. Used to explain a violation without its past.
   */
  states(inputs: readonly Input[]): readonly State[];
}

/** An operation of a partition; positions are any integers that order calls and returns. */
export type Call<Input, Output> =
  | {
      readonly type: 'ok';
      /** The caller's name for it. */
      readonly id: number;
      readonly input: Input;
      readonly output: Output;
      readonly callAt: number;
      /** > `callAt`. */
      readonly returnAt: number;
    }
  /** May take effect at any time after `callAt`, or never; if it does, with `output` if known. */
  | {
      readonly type: 'info';
      readonly id: number;
      readonly input: Input;
      readonly output: Output | undefined;
      readonly callAt: number;
    };

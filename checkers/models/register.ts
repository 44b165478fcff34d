/** A register that holds a number or nothing: read, write and compare-and-set of one key. */
import { assertNever } from '../../src/lib/assert.ts';
import type { Effect, Model } from '../linearizability/model.ts';

/** Null: nothing was ever written. A text: something that none of our clients writes. */
export type RegisterState = number | string | null;

export type RegisterInput =
  | { readonly f: 'read' }
  | { readonly f: 'write'; readonly value: number }
  | { readonly f: 'cas'; readonly from: number; readonly to: number };

export type RegisterOutput =
  | { readonly type: 'read'; readonly value: RegisterState }
  | { readonly type: 'written' }
  | { readonly type: 'swapped' }
  /** A compare-and-set that was refused; `value` is what it saw instead, where it said so. */
  | { readonly type: 'differs'; readonly value: RegisterState | undefined };

export const REGISTER_MODEL: Model<RegisterState, RegisterInput, RegisterOutput> = {
  name: 'register',
  init: null,
  step,
  key: (state) => (typeof state === 'number' ? state : JSON.stringify(state)),
  effect,
  states,
};

function step(
  state: RegisterState,
  input: RegisterInput,
  output: RegisterOutput | undefined,
): RegisterState | undefined {
  switch (input.f) {
    case 'read':
      return output?.type === 'read' && output.value !== state ? undefined : state;
    case 'write':
      return input.value;
    case 'cas':
      if (output?.type === 'differs') return agrees(state, input.from, output) ? state : undefined;
      return state === input.from ? input.to : undefined;
    default:
      return assertNever(input);
  }
}

function agrees(
  state: RegisterState,
  from: number,
  refusal: { readonly value: RegisterState | undefined },
): boolean {
  return state !== from && (refusal.value === undefined || refusal.value === state);
}

function effect(input: RegisterInput, output: RegisterOutput | undefined): Effect {
  switch (input.f) {
    case 'read':
      return 'read';
    case 'write':
      return 'overwrite';
    case 'cas':
      return output?.type === 'differs' ? 'read' : 'update';
    default:
      return assertNever(input);
  }
}

function states(inputs: readonly RegisterInput[]): readonly RegisterState[] {
  const values = new Set<RegisterState>([null]);
  for (const input of inputs) {
    if (input.f === 'write') values.add(input.value);
    if (input.f === 'cas') values.add(input.to);
  }
  return [...values];
}

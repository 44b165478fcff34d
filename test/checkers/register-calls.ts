/** Register histories for properties: slots and durations, so that failures shrink. */
import fc from 'fast-check';
import type { Call } from '../../checkers/linearizability/model.ts';
import {
  REGISTER_MODEL,
  type RegisterInput,
  type RegisterOutput,
  type RegisterState,
} from '../../checkers/models/register.ts';

export type RegisterCall = Call<RegisterInput, RegisterOutput>;

/** One operation before it is laid out in time. */
export interface Slot {
  readonly start: number;
  readonly duration: number;
  /** Where between start and end it takes effect, in percent. */
  readonly point: number;
  readonly input: RegisterInput;
  readonly lost: boolean;
  /** An answer to give instead of the right one. */
  readonly lie: RegisterOutput | undefined;
}

export interface SlotShape {
  readonly values: number;
  readonly starts: number;
  readonly durations: number;
  readonly lostPercent: number;
  readonly liePercent: number;
}

export function slotArbitrary(shape: SlotShape): fc.Arbitrary<Slot> {
  const value = fc.integer({ min: 0, max: shape.values - 1 });
  const percent = (share: number): fc.Arbitrary<boolean> =>
    fc.integer({ min: 0, max: 99 }).map((drawn) => drawn >= 100 - share);
  const input: fc.Arbitrary<RegisterInput> = fc.oneof(
    fc.constant<RegisterInput>({ f: 'read' }),
    value.map((written): RegisterInput => ({ f: 'write', value: written })),
    fc.tuple(value, value).map(([from, to]): RegisterInput => ({ f: 'cas', from, to })),
  );
  return fc
    .record({
      start: fc.integer({ min: 0, max: shape.starts }),
      duration: fc.integer({ min: 0, max: shape.durations }),
      point: fc.integer({ min: 0, max: 100 }),
      input,
      lost: percent(shape.lostPercent),
      lies: percent(shape.liePercent),
      swaps: fc.boolean(),
      shown: fc.option(value),
    })
    .map(({ lies, swaps, shown, ...slot }) => ({
      ...slot,
      lie: lies ? lieTo(slot.input, swaps, shown) : undefined,
    }));
}

function lieTo(input: RegisterInput, swaps: boolean, shown: RegisterState): RegisterOutput {
  if (input.f === 'read') return { type: 'read', value: shown };
  if (input.f === 'write') return { type: 'written' };
  return swaps ? { type: 'swapped' } : { type: 'differs', value: shown ?? undefined };
}

/** Runs the slots on a perfect register, then lays them out by events, all at distinct places. */
export function callsOf(slots: readonly Slot[]): RegisterCall[] {
  const outputs = outputsOf(slots);
  const events = slots
    .flatMap((slot, id) => [
      { id, at: slot.start, isReturn: false },
      { id, at: slot.start + slot.duration + 0.5, isReturn: true },
    ])
    .toSorted((a, b) => a.at - b.at);
  const place = (id: number, isReturn: boolean): number =>
    events.findIndex((event) => event.id === id && event.isReturn === isReturn);
  return slots.map((slot, id) => {
    const { input } = slot;
    const callAt = place(id, false);
    const output = slot.lie ?? outputs[id];
    if (slot.lost || output === undefined)
      return { type: 'info', id, input, output: undefined, callAt };
    return { type: 'ok', id, input, output, callAt, returnAt: place(id, true) };
  });
}

function outputsOf(slots: readonly Slot[]): readonly (RegisterOutput | undefined)[] {
  const outputs: (RegisterOutput | undefined)[] = slots.map(() => undefined);
  const order = slots
    .map((slot, id) => ({ id, at: slot.start + (slot.duration * slot.point) / 100 }))
    .toSorted((a, b) => a.at - b.at);
  let state: RegisterState = REGISTER_MODEL.init;
  for (const { id } of order) {
    const { input, lost, point } = slots[id]!;
    if (lost && point % 2 === 0) continue;
    if (input.f === 'read') outputs[id] = { type: 'read', value: state };
    else if (input.f === 'write') outputs[id] = { type: 'written' };
    else if (input.from === state) outputs[id] = { type: 'swapped' };
    else outputs[id] = { type: 'differs', value: point % 3 === 0 ? undefined : state };
    if (outputs[id]?.type === 'differs') continue;
    state = REGISTER_MODEL.step(state, input, outputs[id]) ?? state;
  }
  return outputs;
}

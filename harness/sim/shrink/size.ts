/** How large a simulation is to whoever has to read it. */
import { fieldsOf, isClientOp } from '../../../checkers/history/guards.ts';
import type { Json } from '../../../checkers/history/op.ts';
import type { SimOutcome } from '../outcome.ts';
import type { SimPlan } from '../plan.ts';

export interface SimSize {
  /** That clients invoked, the reads at the end included. */
  readonly operations: number;
  readonly faults: number;
  readonly members: number;
  /** Different keys and elements that operations name, ends of ranges not included. */
  readonly keys: number;
}

export function sizeOf(plan: SimPlan, outcome: SimOutcome): SimSize {
  const invoked = outcome.history.filter((op) => op.type === 'invoke' && isClientOp(op));
  return {
    operations: invoked.length,
    faults: plan.schedule.length,
    members: plan.memberCount,
    keys: new Set(invoked.flatMap(({ value }) => keysIn(value))).size,
  };
}

export function describeSize({ operations, faults, members, keys }: SimSize): string {
  return `${operations} operations, ${faults} faults, ${members} members, ${keys} keys`;
}

/** Keys that an operation's value names, at any depth; elements of the set as theirs. */
export function keysIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => keysIn(item));
  const fields = fieldsOf(value);
  if (fields === undefined) return [];
  const own: string[] = [];
  if (typeof fields.key === 'string') own.push(fields.key);
  if (typeof fields.element === 'number') own.push(`set/${fields.element}`);
  return [...own, ...Object.values(fields).flatMap((field) => keysIn(field ?? null))];
}

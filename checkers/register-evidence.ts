/** One sentence about a register that cannot be explained: who read what after whose write. */
import { assertNever } from '../src/lib/assert.ts';
import type { Evidence } from './checker.ts';
import type { Op } from './history/op.ts';
import type { Operation } from './history/pairing.ts';
import type { Core } from './linearizability/core.ts';
import type { RegisterInput, RegisterOutput, RegisterState } from './models/register.ts';
import type { RegisterCall, RegisterPartition } from './models/register-history.ts';

/** What the sentence is made from. */
export interface Violation {
  readonly partition: RegisterPartition;
  /** The operation whose answer nothing explains; one of the core's. */
  readonly stuck: RegisterCall;
  readonly core: Core<RegisterInput, RegisterOutput>;
  /** A call's id is its position here. */
  readonly operations: readonly Operation[];
}

/** Operations that are listed in a sentence; the ops of the evidence are always complete. */
const LISTED_MAX = 6;

/** The core's ops in history order, and what is wrong with them. */
export function explainRegister(violation: Violation): Evidence {
  const { core, operations } = violation;
  const ops = core.calls
    .flatMap((call) => opsOf(operations[call.id]))
    .toSorted((a, b) => a.index - b.index);
  return {
    sentence: sentenceOf(violation),
    ops,
    fromIndex: ops.at(0)?.index ?? 0,
    toIndex: ops.at(-1)?.index ?? 0,
  };
}

function opsOf(operation: Operation | undefined): readonly Op[] {
  if (operation === undefined) return [];
  const { invoke, completion } = operation;
  return completion === undefined ? [invoke] : [invoke, completion];
}

function sentenceOf(violation: Violation): string {
  const { stuck, partition, core } = violation;
  const { key } = partition;
  const observed = observedBy(stuck);
  if (observed !== undefined && observed !== null && !isWritten(observed, partition.calls)) {
    return `${actor(violation, stuck)} ${did(stuck, key)}, which nobody ever wrote`;
  }
  const overwritten = observed === undefined ? undefined : latestWriteBefore(violation);
  if (overwritten !== undefined) {
    return (
      `${actor(violation, stuck)} ${did(stuck, key)}, though it began after ` +
      `${actor(violation, overwritten)} ${did(overwritten, key)}${sinceThen(violation)}`
    );
  }
  const rival = core.calls.find((call) => isRivalSwap(call, stuck));
  if (rival !== undefined) {
    return (
      `${actor(violation, stuck)} ${did(stuck, key)}, though ` +
      `${actor(violation, rival)} ${did(rival, key)} as well: both swapped the same value`
    );
  }
  return listing(violation);
}

function listing(violation: Violation): string {
  const { stuck, partition, core } = violation;
  const others = core.calls
    .filter((call) => call.id !== stuck.id)
    .map((call) => `${actor(violation, call)} ${did(call, partition.key)}`);
  const listed = others.slice(0, LISTED_MAX).join('; ');
  const more = others.length > LISTED_MAX ? `; and ${others.length - LISTED_MAX} more` : '';
  const claim = `${actor(violation, stuck)} ${did(stuck, partition.key)}`;
  if (others.length === 0) return `${claim}, which no order of operations explains`;
  return `${claim}, which fits no order with: ${listed}${more}`;
}

/** The state that an operation claims to have met. */
function observedBy(call: RegisterCall): RegisterState | undefined {
  if (call.output === undefined) return undefined;
  switch (call.output.type) {
    case 'read':
    case 'differs':
      return call.output.value;
    case 'written':
      return undefined;
    case 'swapped':
      return call.input.f === 'cas' ? call.input.from : undefined;
    default:
      return assertNever(call.output);
  }
}

function writtenBy(call: RegisterCall): number | undefined {
  const { input } = call;
  if (input.f === 'write') return input.value;
  if (input.f !== 'cas' || call.output?.type === 'differs') return undefined;
  return input.to;
}

function isWritten(value: RegisterState, calls: readonly RegisterCall[]): boolean {
  return calls.some((call) => writtenBy(call) === value);
}

/** The core's last definite write of another value that was acknowledged before `stuck` began. */
function latestWriteBefore(violation: Violation): RegisterCall | undefined {
  const { stuck, core } = violation;
  const observed = observedBy(stuck);
  return core.calls.findLast((call) => {
    if (call.type === 'info' || call.returnAt > stuck.callAt) return false;
    const written = writtenBy(call);
    return written !== undefined && written !== observed;
  });
}

/** Says so where it is true that only what is shown could have written the value. */
function sinceThen(violation: Violation): string {
  const { stuck, core } = violation;
  const observed = observedBy(stuck);
  const again = core.calls.some((call) => writtenBy(call) === observed);
  if (observed === undefined || again) return '';
  return observed === null ? ', and nobody deletes' : `, and nobody wrote ${observed} since`;
}

function isRivalSwap(call: RegisterCall, stuck: RegisterCall): boolean {
  if (call.id === stuck.id) return false;
  if (call.input.f !== 'cas' || stuck.input.f !== 'cas') return false;
  if (call.output?.type !== 'swapped' || stuck.output?.type !== 'swapped') return false;
  return call.input.from === stuck.input.from;
}

function actor(violation: Violation, call: RegisterCall): string {
  const operation = violation.operations[call.id];
  if (operation === undefined) return 'a process';
  const node = operation.completion?.node ?? operation.invoke.node;
  const at = node === undefined ? '' : ` at ${node}`;
  const last = operation.completion?.index ?? '…';
  return `process ${operation.process}${at} (ops ${operation.invoke.index}–${last})`;
}

function did(call: RegisterCall, key: string): string {
  const { input } = call;
  const unsure = call.output === undefined ? 'perhaps ' : '';
  switch (input.f) {
    case 'read':
      return `read ${key} = ${shown(observedBy(call))}`;
    case 'write':
      return `${unsure}wrote ${input.value} to ${key}`;
    case 'cas': {
      if (call.output?.type === 'differs') {
        const saw = observedBy(call);
        const instead = saw === undefined ? '' : `, which it found to be ${shown(saw)}`;
        return `was refused to swap ${key} from ${input.from} to ${input.to}${instead}`;
      }
      return `${unsure}swapped ${key} from ${input.from} to ${input.to}`;
    }
    default:
      return assertNever(input);
  }
}

function shown(state: RegisterState | undefined): string {
  if (state === undefined) return 'unknown';
  return state === null ? 'absent' : JSON.stringify(state);
}

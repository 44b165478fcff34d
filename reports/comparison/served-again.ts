/** How soon a fault was over for clients, and how much of the storm they were served. */
import { isClientOp } from '../../checkers/history/guards.ts';
import type { FaultRecord, RunRecord } from '../run-record.ts';
import { type Completions, OK } from '../series/completions.ts';

/** An operation that ended ok. */
export interface Served {
  readonly node: string | undefined;
  readonly invokedNs: number;
  readonly completedNs: number;
}

/** In the order of completion. */
export function servedOps({ history }: RunRecord): Served[] {
  const busySince = new Map<number, number>();
  const served: Served[] = [];
  for (const op of history) {
    if (!isClientOp(op)) continue;
    if (op.type === 'invoke') {
      busySince.set(op.process, op.time);
      continue;
    }
    const invokedNs = busySince.get(op.process);
    busySince.delete(op.process);
    if (op.type !== 'ok' || invokedNs === undefined) continue;
    served.push({ node: op.node, invokedNs, completedNs: op.time });
  }
  return served;
}

/**
 * From the begin of the heal until an operation ended ok that was asked for after it, through a
 * member that the fault was about, or through any if it names none. Undefined: none did.
 */
export function servedAgainNs(served: readonly Served[], fault: FaultRecord): number | undefined {
  const { nodes, healStartNs } = fault;
  const first = served.find(
    ({ node, invokedNs }) =>
      invokedNs >= healStartNs && (nodes.length === 0 || nodes.includes(node ?? '')),
  );
  return first === undefined ? undefined : first.completedNs - healStartNs;
}

const WINDOW_NS_LEAST = 1e8;
/** In a window many operations are asked for, so that an empty one is no chance. */
const OPS_PER_WINDOW = 20;

export interface Availability {
  readonly windowNs: number;
  /** Of the storm's windows, those in which an operation ended ok. */
  readonly share: number;
}

export function availabilityOf(completions: Completions, stormEndNs: number): Availability {
  const perOpNs = stormEndNs / Math.max(1, completions.count);
  const windowNs = Math.max(WINDOW_NS_LEAST, Math.ceil(OPS_PER_WINDOW * perOpNs));
  const count = Math.floor(stormEndNs / windowNs);
  if (count === 0) return { windowNs, share: 0 };
  const isServed = new Uint8Array(count);
  for (let at = 0; at < completions.count; at++) {
    if (completions.outcomes[at] !== OK) continue;
    const window = Math.floor(completions.completedNs[at]! / windowNs);
    if (window < count) isServed[window] = 1;
  }
  return { windowNs, share: isServed.reduce((sum, each) => sum + each, 0) / count };
}

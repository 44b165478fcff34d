/** Which operations a counterexample's picture shows: its core, and some of what was around. */
import type { Evidence } from '../../checkers/checker.ts';
import { type ClientOp, fieldsOf, isClientOp } from '../../checkers/history/guards.ts';
import type { Json, Op } from '../../checkers/history/op.ts';

/** Core operations in the picture: the last ones; the table has all. */
export const CORE_OPS_MAX = 10;

/** Other operations in the picture: those nearest to the core in the history. */
export const CONTEXT_OPS_MAX = 16;

/** Context worked with at once: more is cut to the nearest. */
const CANDIDATES_MAX = 2_000;

/** One operation as the picture and its table show it. */
export interface ShownOp {
  readonly process: number;
  readonly invoke: Op;
  /** Undefined when the history ended first. */
  readonly completion: Op | undefined;
}

export interface EvidenceOps {
  /** All operations of the evidence, in the order of invocation. */
  readonly core: readonly ShownOp[];
  /** Those of the core that are drawn. */
  readonly drawn: readonly ShownOp[];
  readonly context: readonly ShownOp[];
}

/** Context shares a key with the core, or its functions where the core has no keys. */
export function evidenceOps(evidence: Evidence, history: readonly Op[]): EvidenceOps {
  const core = pair(evidence.ops);
  const drawn = core.slice(-CORE_OPS_MAX);
  const coreIndexes = new Set(core.map((op) => op.invoke.index));
  const anchors = drawn.flatMap(({ invoke, completion }) =>
    completion === undefined ? [invoke.index] : [invoke.index, completion.index],
  );
  const keys = new Set(core.map(keyOf).filter((key) => key !== undefined));
  const fs = new Set(core.map((op) => op.invoke.f));
  const isRelated = (op: ShownOp): boolean => {
    const key = keyOf(op);
    return keys.size > 0 ? key !== undefined && keys.has(key) : fs.has(op.invoke.f);
  };
  let candidates: { op: ShownOp; distance: number }[] = [];
  const nearest = (countMax: number): typeof candidates =>
    candidates.sort((a, b) => a.distance - b.distance).slice(0, countMax);
  eachOperation(history, (op) => {
    if (coreIndexes.has(op.invoke.index) || !isRelated(op)) return;
    candidates.push({ op, distance: distanceOf(op, anchors) });
    if (candidates.length > CANDIDATES_MAX) candidates = nearest(CONTEXT_OPS_MAX);
  });
  const context = nearest(CONTEXT_OPS_MAX).map(({ op }) => op);
  return { core, drawn, context: context.sort((a, b) => a.invoke.index - b.invoke.index) };
}

function pair(ops: readonly Op[]): ShownOp[] {
  const shown: ShownOp[] = [];
  eachOperation(ops, (op) => shown.push(op));
  return shown.sort((a, b) => a.invoke.index - b.invoke.index);
}

/** In the order of completion; those that never completed come last. */
function eachOperation(history: readonly Op[], visit: (op: ShownOp) => void): void {
  const busy = new Map<number, ClientOp>();
  for (const op of history) {
    if (!isClientOp(op)) continue;
    if (op.type === 'invoke') {
      busy.set(op.process, op);
      continue;
    }
    const invoke = busy.get(op.process);
    busy.delete(op.process);
    if (invoke !== undefined) visit({ process: op.process, invoke, completion: op });
  }
  for (const [process, invoke] of busy) visit({ process, invoke, completion: undefined });
}

function keyOf({ invoke }: ShownOp): Json | undefined {
  return fieldsOf(invoke.value)?.key;
}

/** From the operation's completion (or invocation) to the nearest event of the core. */
function distanceOf({ invoke, completion }: ShownOp, anchors: readonly number[]): number {
  const index = completion?.index ?? invoke.index;
  return Math.min(...anchors.map((anchor) => Math.abs(anchor - index)));
}

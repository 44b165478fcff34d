/**
 * Counts by function: a run in which nothing ever succeeded proves nothing, so it is
 * `unknown` however well its other checks went.
 */
import type { Checker, CheckResult } from './checker.ts';
import { isClientOp } from './history/guards.ts';
import type { Op, OpType } from './history/op.ts';

type Counts = Record<OpType, number>;

/** Valid unless some function that was invoked never completed `ok`. */
export function statisticsChecker(): Checker {
  return { name: 'statistics', check: checkStatistics };
}

function checkStatistics(history: readonly Op[]): CheckResult {
  const countsByF = countByF(history);
  const total = zeroCounts();
  for (const counts of countsByF.values()) add(total, counts);
  const neverOk = [...countsByF].filter(([, counts]) => counts.ok === 0).map(([f]) => f);
  const completed = total.ok + total.fail + total.info;
  const counted =
    `${total.invoke} invoked, ${total.ok} ok, ${total.fail} fail, ${total.info} info` +
    ` (${percent(okFraction(total))} of ${completed} completed are ok)`;
  const complaint =
    total.invoke === 0 ? '; nothing was invoked' : `; never ok: ${neverOk.join(', ')}`;
  const enough = neverOk.length === 0 && total.invoke > 0;
  return {
    name: 'statistics',
    validity: enough ? 'valid' : 'unknown',
    summary: enough ? counted : counted + complaint,
    details: {
      ...total,
      okFraction: okFraction(total),
      byF: Object.fromEntries(
        [...countsByF].map(([f, counts]) => [f, { ...counts, okFraction: okFraction(counts) }]),
      ),
    },
  };
}

function countByF(history: readonly Op[]): Map<string, Counts> {
  const countsByF = new Map<string, Counts>();
  for (const op of history) {
    if (!isClientOp(op)) continue;
    const counts = countsByF.get(op.f) ?? zeroCounts();
    counts[op.type] += 1;
    countsByF.set(op.f, counts);
  }
  return countsByF;
}

function zeroCounts(): Counts {
  return { invoke: 0, ok: 0, fail: 0, info: 0 };
}

function add(total: Counts, counts: Counts): void {
  total.invoke += counts.invoke;
  total.ok += counts.ok;
  total.fail += counts.fail;
  total.info += counts.info;
}

/** Share of the completed ops that are ok; 0 when none completed. */
function okFraction(counts: Counts): number {
  const completed = counts.ok + counts.fail + counts.info;
  return completed === 0 ? 0 : counts.ok / completed;
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

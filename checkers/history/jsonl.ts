/**
 * The file form of a history: JSON Lines, one op a line, in index order from 0 without gaps.
 * Fields of a line are those of `Op`; absent optional fields are left out.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import { isJson, isOpType } from './guards.ts';
import type { Op } from './op.ts';
import type { HistoryProblem } from './pairing.ts';

/** One line, with its line feed: lines can be appended as ops happen. */
export function formatOp(op: Op): string {
  return `${JSON.stringify(op)}\n`;
}

export function formatHistory(history: readonly Op[]): string {
  return history.map(formatOp).join('');
}

/**
 * Reads what {@link formatHistory} writes. The first line that is not an op, a blank one too,
 * or whose index is not its position, is named in the error; nothing is skipped or repaired.
 */
export function parseHistory(text: string): Result<Op[], HistoryProblem> {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const history: Op[] = [];
  for (const [position, line] of lines.entries()) {
    const parsed = parseOp(line);
    if (!parsed.ok) return err({ place: `line ${position + 1}`, reason: parsed.error });
    if (parsed.value.index !== position) {
      return err({
        place: `line ${position + 1}`,
        reason: `field index: ${parsed.value.index} where ${position} was due`,
      });
    }
    history.push(parsed.value);
  }
  return ok(history);
}

/** One line without its line feed; the error says which field is wrong. */
export function parseOp(line: string): Result<Op, string> {
  const parsed = parseObject(line);
  if (!parsed.ok) return parsed;
  const { index, time, process, type, f, value, node, error, revision } = parsed.value;
  if (!isCount(index)) return err('field index: not a whole number ≥ 0');
  if (!isCount(time)) return err('field time: not a whole number ≥ 0');
  if (process !== 'nemesis' && !isCount(process)) return err('field process: not a process');
  if (!isOpType(type)) return err('field type: not invoke, ok, fail or info');
  if (typeof f !== 'string' || f === '') return err('field f: not a name');
  if (value === undefined || !isJson(value)) return err('field value: missing');
  if (node !== undefined && typeof node !== 'string') return err('field node: not a text');
  if (error !== undefined && typeof error !== 'string') return err('field error: not a text');
  if (revision !== undefined && !isCount(revision)) {
    return err('field revision: not a whole number ≥ 0');
  }
  return ok({
    index,
    time,
    process,
    type,
    f,
    value,
    ...(node === undefined ? {} : { node }),
    ...(error === undefined ? {} : { error }),
    ...(revision === undefined ? {} : { revision }),
  });
}

function parseObject(line: string): Result<{ readonly [field: string]: unknown }, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    // JSON.parse has no other way to say no; its words differ between engines, ours do not.
    return err('not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return err('not a JSON object');
  }
  return ok({ ...parsed });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

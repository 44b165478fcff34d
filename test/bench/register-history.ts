import type { Op } from '../../checkers/history/op.ts';

/** A linearizable history on a few keys: ten processes that never overlap on the same key. */
export function registerHistory(operations: number): readonly Op[] {
  const KEYS = 40;
  const history: Op[] = [];
  for (let count = 0; count < operations; count++) {
    const key = `register/${count % KEYS}`;
    const round = Math.floor(count / KEYS);
    const f = round % 2 === 0 ? 'write' : 'read';
    const value = { key, value: round - (round % 2) };
    const [process, index] = [count % 10, history.length];
    const invoked = f === 'read' ? { key } : value;
    history.push({ index, time: index, process, type: 'invoke', f, value: invoked });
    history.push({ index: index + 1, time: index + 1, process, type: 'ok', f, value });
  }
  return history;
}

/** A few seconds of what `node test/fuzz/ports.ts` does for minutes. */
import { expect, test } from 'vitest';
import { fuzzPorts } from '../fuzz/port-run.ts';

test('everything thrown at both ports of three members harms nothing', async () => {
  const printed: string[] = [];
  const run = await fuzzPorts({
    seed: 4,
    durationMs: 5_000,
    isShort: true,
    print: (line) => printed.push(line),
  });
  expect(run.problems, printed.join('\n')).toEqual([]);
  expect(run.goodPuts).toBeGreaterThan(0);
  expect(run.tally.total.requests).toBeGreaterThan(100);
});

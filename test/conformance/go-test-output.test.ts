import { expect, test } from 'vitest';
import { GoTestOutput } from './go-test-output.ts';

test('verdicts, times and lines of tests, however the output is cut', () => {
  const said = [
    '=== RUN   TestA',
    '--- PASS: TestA (0.25s)',
    '=== RUN   TestB',
    '    b_test.go:1: expected 1',
    '--- FAIL: TestB (1.50s)',
    '=== RUN   TestC',
    '--- SKIP: TestC (0.00s)',
    '=== RUN   TestD',
    'panic: gone',
    '',
  ].join('\n');
  const output = new GoTestOutput();
  const results = [...said].flatMap((character) => output.take(character));
  expect(results).toEqual([
    { name: 'TestA', verdict: 'passed', seconds: 0.25, output: [] },
    {
      name: 'TestB',
      verdict: 'failed',
      seconds: 1.5,
      output: ['    b_test.go:1: expected 1'],
    },
    { name: 'TestC', verdict: 'skipped', seconds: 0, output: [] },
  ]);
  expect([output.running, output.lines]).toEqual(['TestD', ['panic: gone']]);
});

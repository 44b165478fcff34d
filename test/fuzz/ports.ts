/**
 * `node test/fuzz/ports.ts [--minutes N] [--seed N]`: three real members, with everything thrown
 * at their client and peer ports that no client and no member would send. Exits with 1 if any of
 * it did harm.
 */
import { parseArgs } from 'node:util';
import { fuzzPorts } from './port-run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const seed = Number(values.seed);
print(`seed ${seed}, ${values.minutes} minutes`);
const run = await fuzzPorts({ seed, durationMs: Number(values.minutes) * 60_000, print });
for (const line of run.tally.lines()) print(line);
print('answers:');
const statuses = [...run.tally.statuses].sort(([, a], [, b]) => b - a);
for (const [status, count] of statuses) print(`  ${status}: ${count}`);
print(`good clients: ${run.goodPuts} puts, ${run.goodReads} reads`);
for (const problem of run.problems) print(`PROBLEM: ${problem}`);
print(run.problems.length === 0 ? 'no harm done' : `${run.problems.length} problems`);
// Sessions that a member left half open would keep this process.
process.exit(run.problems.length === 0 ? 0 : 1);

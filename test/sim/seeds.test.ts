/** Every seed that ever found a bug, once more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SIM_FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { simulate } from '../../harness/sim/simulate.ts';
import { drawSimPlan, type SwarmChoices } from '../../harness/sim/swarm.ts';

const lines: readonly string[] = readFileSync(join(import.meta.dirname, '../seeds.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

test.each(lines)('%s', { timeout: 60_000 }, async (line) => {
  const [seed, members, faults, found] = line.split('|').map((part) => part.trim());
  expect(found).toMatch(/: test\/\S+\.test\.ts$/);
  const choices: SwarmChoices = {
    ...(members !== '' && { memberCount: Number(members) }),
    ...(faults === 'all' && { faults: SIM_FAULT_KINDS }),
  };
  const outcome = await simulate(drawSimPlan(Number(seed), 'seeds', choices));
  expect(outcome.failure).toBeUndefined();
  expect(outcome.checks.map(({ validity }) => validity)).not.toContain('invalid');
});

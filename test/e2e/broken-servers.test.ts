/** Proof that it bites: planted bugs are found by a default storm, and only planted ones. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MUTANTS } from '../../harness/mutants/catalogue.ts';
import type { Mutant } from '../../harness/mutants/mutant.ts';
import { plant } from '../../harness/mutants/plant.ts';
import { ROOT } from './lab.ts';
import { line, StormLab } from './storm-lab.ts';

/**
 * Shorter than a default storm, so a seed may miss what needs an unlucky moment: then another
 * gets a chance. `storm mutants` measures how often one is enough.
 */
const STORM = ['run', '--cluster', 'process', '--time-limit', '20'] as const;
const SEEDS = [7, 1, 2, 3] as const;
const MUTANT_MS_MAX = SEEDS.length * 90_000;

/** The rest of the catalogue is hunted in simulation. */
const STORMED: readonly Mutant[] = MUTANTS.filter(({ name }) =>
  [
    'read-without-read-index',
    'commit-without-majority',
    'acknowledge-before-log',
    'compare-when-proposed',
  ].includes(name),
);

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

/** A copy of the server, with the bug if there is one. */
function copyOf(mutant: Mutant): Promise<string> {
  const parent = storms.lab.path(`copy of ${mutant.name}`);
  mkdirSync(parent);
  return plant(mutant, ROOT, parent);
}

async function stormAgainst(server: string, seed: number) {
  const { ended } = await storms.run(...STORM, '--seed', `${seed}`, '--server', server);
  const { code, stdout, stderr } = ended;
  return { code, stderr, verdict: line(stdout, 'verdict:'), evidence: line(stdout, 'evidence:') };
}

// Storms wait more than they work: two at a time.
test.concurrent.each(STORMED)(
  '$name is invalid: $story',
  { timeout: MUTANT_MS_MAX },
  async (mutant) => {
    const server = await copyOf(mutant);
    const seen: unknown[] = [];
    for (const seed of SEEDS) {
      const found = await stormAgainst(server, seed);
      seen.push(found);
      // A storm may be unlucky; it may not fail to be one.
      expect(found, found.stderr).toMatchObject({ stderr: '', code: expect.toBeOneOf([0, 1, 2]) });
      if (found.code === 1) {
        expect(found.verdict).toMatch(/^invalid/);
        expect(found.evidence).toMatch(/process \d+.*ops? \d+/);
        return;
      }
    }
    expect.fail(`never found: ${JSON.stringify(seen)}`);
  },
);

test.concurrent('a copy without a bug is valid at the same seed', {
  timeout: MUTANT_MS_MAX,
}, async () => {
  const server = await copyOf({
    name: 'none',
    area: 'member',
    story: 'nothing is wrong',
    edits: [],
  });
  expect(await stormAgainst(server, SEEDS[0])).toMatchObject({
    code: 0,
    stderr: '',
    verdict: expect.stringMatching(/^valid/),
    evidence: undefined,
  });
});

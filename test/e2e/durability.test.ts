/** kill -9 of all members at once: a sound server loses nothing, and a careless one is caught. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MUTANTS } from '../../harness/mutants/catalogue.ts';
import { plant } from '../../harness/mutants/plant.ts';
import { ROOT } from './lab.ts';
import { line, StormLab } from './storm-lab.ts';

const ROUNDS = 3;
const DURABILITY = ['durability', '--cluster', 'process', '--rounds', `${ROUNDS}`] as const;

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

test('nothing that was acknowledged is lost', async () => {
  const { ended } = await storms.run(...DURABILITY);
  expect(ended, ended.stdout).toMatchObject({ code: 0, stderr: '' });
  for (let round = 1; round <= ROUNDS; round++) {
    expect(line(ended.stdout, `durability: round ${round}:`)).toMatch(
      /^[1-9]\d* acknowledged, 0 lost$/,
    );
  }
  expect(
    line(ended.stdout, `durability: ${ROUNDS} x kill -9 of all 3 members on process:`),
  ).toMatch(/^[1-9]\d* writes acknowledged, 0 lost$/);
});

test('members that acknowledge before they log are found out', async () => {
  const mutant = MUTANTS.find(({ name }) => name === 'acknowledge-before-log')!;
  const server = await plant(mutant, ROOT, storms.lab.directory);
  const { ended } = await storms.run(...DURABILITY, '--server', server);
  expect(ended, ended.stdout).toMatchObject({ code: 1, stderr: '' });
  expect(ended.stdout).toMatch(/^durability: round \d: \d+ acknowledged, [1-9]\d* lost$/m);
  expect(line(ended.stdout, 'evidence:')).toMatch(/^acknowledged and gone: durability\/\d\/\d+$/);
});

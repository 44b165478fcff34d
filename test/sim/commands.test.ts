/** `storm sim`, `fuzz` and `replay`, and `storm run --cluster sim`, without a command line. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzzCommand } from '../../harness/commands/fuzz.ts';
import { runCommand } from '../../harness/commands/run.ts';
import { replaySavedCommand, simCommand } from '../../harness/commands/sim.ts';
import { parseRunRequest } from '../../harness/options.ts';
import type { Services } from '../../harness/services.ts';
import { codeVersion } from '../../harness/sim/code-version.ts';
import { readScenario, saveScenario, scenarioOf } from '../../harness/sim/scenario-file.ts';
import { simulate } from '../../harness/sim/simulate.ts';
import { inSimulation } from '../../harness/sim/simulated-services.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';
import { wireServices } from '../../harness/wiring.ts';

const runsDirectory = mkdtempSync(join(tmpdir(), 'storm-sim-test-'));
afterAll(() => rmSync(runsDirectory, { recursive: true, force: true }));

const SHORT = { memberCount: 3, safetyMs: 5_000 } as const;

function setUp(): { readonly services: Services; readonly lines: string[] } {
  const lines: string[] = [];
  const progress = { print: (line: string) => lines.push(line), live: () => undefined };
  return { services: wireServices(progress, new AbortController().signal), lines };
}

function lineOf(lines: readonly string[], start: string): string {
  return lines.find((line) => line.startsWith(start)) ?? `no line ${start}`;
}

test('sim tells what came of a seed, the same each time', async () => {
  const request = { seed: 11, choices: SHORT, runsDirectory, log: false };
  const traces: (string | undefined)[] = [];
  for (let round = 0; round < 2; round++) {
    const { services, lines } = setUp();
    expect(await simCommand(services, request)).toBe(0);
    expect(lineOf(lines, 'plan:')).toMatch(/^plan: seed 11, 3 members/);
    expect(lineOf(lines, 'verdict:')).toMatch(/^verdict: valid(; unknown: |$)/);
    traces.push(/trace (\w{16})/.exec(lineOf(lines, 'simulated:'))?.[1]);
  }
  expect(traces[0]).toBe(traces[1]);
  expect(readdirSync(runsDirectory)).toEqual([]);
});

test('a transcript has a line for everything', async () => {
  const { services, lines } = setUp();
  const choices = { memberCount: 3, safetyMs: 5_000, faults: ['kill'] } as const;
  await simCommand(services, { seed: 4, choices, runsDirectory, log: true });
  for (const what of [
    /n\d→n\d delivered .* MsgApp/,
    /becameLeader/,
    /disk: write/,
    /nemesis kill/,
  ]) {
    expect(lines.some((line) => what.test(line))).toBe(true);
  }
});

test('a saved simulation is replayed and compared', async () => {
  const plan = drawSimPlan(12, codeVersion(), SHORT);
  const path = saveScenario(runsDirectory, 's.json', scenarioOf(plan, await simulate(plan)));
  const { services, lines } = setUp();
  const request = { what: path, choices: {}, log: false };
  expect(await replaySavedCommand(services, request)).toBe(0);
  expect(lines).toContain('replay: identical to the saved run');

  const scenario = readScenario(path);
  writeFileSync(path, JSON.stringify({ ...scenario, traceHash: '0'.repeat(16) }));
  expect(await replaySavedCommand(services, request)).toBe(2);
  expect(lines.at(-1)).toMatch(/^replay: differs/);
});

test('a lying disk is found out, saved, and fails again when replayed', async () => {
  const choices = { memberCount: 3, safetyMs: 60_000, faults: ['lying-disk'] } as const;
  const failing = await firstFailing(choices);
  const { services, lines } = setUp();
  expect(await simCommand(services, { seed: failing, choices, runsDirectory, log: false })).toBe(1);
  expect(lineOf(lines, 'verdict:')).toMatch(/^verdict: invalid: .*; replay: npm run storm/);
  const path = join(runsDirectory, `sim-${failing}.json`);
  expect(await replaySavedCommand(services, { what: path, choices: {}, log: false })).toBe(1);
  expect(lines).toContain('replay: identical to the saved run');
});

async function firstFailing(choices: Parameters<typeof drawSimPlan>[2]): Promise<number> {
  for (let seed = 1; seed <= 20; seed++) {
    if ((await simulate(drawSimPlan(seed, codeVersion(), choices))).failure) return seed;
  }
  throw new Error('disks lied and nobody noticed in 20 seeds');
}

test('fuzz goes through its seeds, each shard through its own', async () => {
  const shards = await Promise.all(
    [1, 2].map(async (index) => {
      const { services, lines } = setUp();
      const status = await fuzzCommand(services, {
        minutes: 5,
        seedsMax: 3,
        jobs: 1,
        seedFrom: 100,
        shard: { index, count: 2 },
        choices: { memberCount: 3, safetyMs: 5_000 },
        twice: index === 1,
        runsDirectory,
      });
      expect(status).toBe(0);
      return lines.at(-1);
    }),
  );
  for (const last of shards)
    expect(last).toMatch(/^fuzz: 3 seeds, 0 failed; \d+\.\d\d simulated h/);
  expect(shards[0]).not.toBe(shards[1]);
});

test('a storm on a simulated cluster leaves a run like any other', async () => {
  const { services, lines } = setUp();
  const request = parseRunRequest(
    { seed: '5', cluster: 'sim', timeLimit: '20', runsDir: runsDirectory },
    () => 0,
  );
  expect(await inSimulation(services, 5, (sim) => runCommand(sim, request))).toBe(0);
  expect(lines).toContain('verdict: valid');
  expect(lineOf(lines, 'check: invariants:')).toMatch(/valid: held after each of \d+ events/);
  const directory = join(runsDirectory, 'latest');
  expect(readFileSync(join(directory, 'report.html'), 'utf8')).toContain('storm seed 5');
  expect(readFileSync(join(directory, 'history.jsonl'), 'utf8').length).toBeGreaterThan(10_000);
});

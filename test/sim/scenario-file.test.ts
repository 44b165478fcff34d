import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planToReplay } from '../../harness/commands/sim.ts';
import { StormError } from '../../harness/exit-code.ts';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { codeVersion } from '../../harness/sim/code-version.ts';
import type { SimFailure } from '../../harness/sim/outcome.ts';
import {
  readScenario,
  SCENARIO_FILE,
  type Scenario,
  saveScenario,
  scenarioOf,
} from '../../harness/sim/scenario-file.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';
import { shortPlan } from './short-plan.ts';

const FAILURE: SimFailure = { by: 'checker', name: 'register', detail: 'stale', atNs: 5 };
const TRACE_HASH = '0123456789abcdef';
const PLAN = shortPlan({
  faults: FAULT_KINDS,
  safetyMs: 20_000,
  script: [{ atNs: 1, thread: 0, f: 'put', value: ['a', 1] }],
});

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'storm-scenario-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function write(value: unknown, name = 'damaged.json'): string {
  const path = join(directory, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

/** The one line of the StormError with which `action` ends. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(StormError);
    const { message } = error as StormError;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('it was accepted');
}

describe('a scenario', () => {
  test.each([undefined, FAILURE])('comes back as it was saved: %o', (failure) => {
    const scenario = scenarioOf(PLAN, { traceHash: TRACE_HASH, failure });
    const path = saveScenario(join(directory, 'new', 'runs'), 'sim-1.json', scenario);
    expect(path).toBe(join(directory, 'new', 'runs', 'sim-1.json'));
    expect(readScenario(path)).toEqual(scenario);
    expect(readScenario(path).failure).toEqual(failure ?? null);
  });

  test('is found in a run directory', () => {
    const scenario = scenarioOf(PLAN, { traceHash: TRACE_HASH, failure: undefined });
    const run = join(directory, 'run');
    saveScenario(run, SCENARIO_FILE, scenario);
    expect(readScenario(run)).toEqual(scenario);
    mkdirSync(join(directory, 'empty'));
    expect(refusal(() => readScenario(join(directory, 'empty')))).toContain(SCENARIO_FILE);
  });

  test('that cannot be saved is a StormError that names the option', () => {
    const scenario = scenarioOf(PLAN, { traceHash: TRACE_HASH, failure: undefined });
    const file = write('{}', 'a-file');
    expect(refusal(() => saveScenario(file, 'x.json', scenario))).toContain('--runs-dir');
  });

  test.each([
    ['is not there', undefined],
    ['is empty', ''],
    ['is cut short', JSON.stringify(PLAN).slice(0, 200)],
    ['is no JSON', 'seed: 5\nplan: none\n'],
  ])('that %s is refused', (_, text) => {
    const path = text === undefined ? join(directory, 'missing.json') : write(text);
    const message = refusal(() => readScenario(path));
    expect(message).toContain(`${path}: no scenario`);
    expect(message).toContain('give a seed');
  });
});

/** The saved scenario with one field changed; `undefined` leaves it out. */
function damaged(field: string, value: unknown): unknown {
  const scenario: unknown = JSON.parse(
    JSON.stringify(scenarioOf(PLAN, { traceHash: TRACE_HASH, failure: FAILURE })),
  );
  const keys = field.split('.');
  const last = keys.pop()!;
  let inner = scenario as Record<string, unknown>;
  for (const key of keys) inner = inner[key] as Record<string, unknown>;
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return scenario;
}

describe('a damaged field is named', () => {
  const damages: readonly (readonly [field: string, value: unknown, named?: string])[] = [
    ['format', 'storm-scenario/0'],
    ['traceHash', undefined],
    ['traceHash', 'abc'],
    ['failure', 'it failed'],
    ['failure', undefined],
    ['plan', undefined, 'plan.format'],
    ['plan', [], 'plan.format'],
    ['plan.format', 'storm-plan/1'],
    ['plan.code', 5],
    ['plan.seed', undefined],
    ['plan.seed', '7'],
    ['plan.seed', -1],
    ['plan.seed', 2 ** 32],
    ['plan.seed', 1.5],
    ['plan.memberCount', 0],
    ['plan.memberCount', 8],
    ['plan.heartbeatMs', null],
    ['plan.electionMs', '100'],
    ['plan.member', null],
    ['plan.member', []],
    ['plan.member.snapshotCount', undefined],
    ['plan.network', 5],
    ['plan.network.latencyUs', 5],
    ['plan.network.latencyUs', [1]],
    ['plan.network.latencyUs', [2, 1]],
    ['plan.network.encodes', 'yes'],
    ['plan.disk.syncUs', ['1', '2']],
    ['plan.disk.processKillPercent', undefined],
    ['plan.clockDriftPpm', {}],
    ['plan.clockDriftPpm.1', 'fast', 'plan.clockDriftPpm[1]'],
    ['plan.workload.concurrency', undefined],
    ['plan.safetyMs', undefined],
    ['plan.schedule', undefined],
    ['plan.schedule.0', null, 'plan.schedule[0]'],
    ['plan.schedule.0.startMs', undefined, 'plan.schedule[0].startMs'],
    ['plan.schedule.2.durationMs', '5', 'plan.schedule[2].durationMs'],
    ['plan.schedule.1.spec', undefined, 'plan.schedule[1].spec'],
    ['plan.schedule.1.spec.kind', 'earthquake', 'plan.schedule[1].spec.kind'],
    ['plan.schedule.1.spec.kind', undefined, 'plan.schedule[1].spec.kind'],
    ['plan.schedule.0.spec', { kind: 'kill' }, 'plan.schedule[0].spec.node'],
    ['plan.schedule.0.spec', { kind: 'pause', node: 'n4' }, 'plan.schedule[0].spec.node'],
    [
      'plan.schedule.0.spec',
      { kind: 'slow-disk', nodes: ['n1', 'n9'], delayMs: 5 },
      'plan.schedule[0].spec.nodes',
    ],
    ['plan.core', 'n1'],
    ['plan.core', ['n1', 'n4']],
    ['plan.script', {}],
    ['plan.script.0.f', 5, 'plan.script[0].f'],
    ['plan.script.0.thread', undefined, 'plan.script[0].thread'],
  ];

  for (const [field, value, named = field] of damages) {
    test(`${field}: ${JSON.stringify(value) ?? 'missing'}`, () => {
      const message = refusal(() => readScenario(write(damaged(field, value))));
      expect(message).toContain(`field ${named}: `);
      expect(message).toContain('restore the file');
    });
  }

  test('and the undamaged one is accepted, with every kind of fault', () => {
    const kinds = new Set(PLAN.schedule.map(({ spec }) => spec.kind));
    expect(kinds.size).toBe(FAULT_KINDS.length);
    expect(readScenario(write(damaged('failure', null))).plan).toEqual(PLAN);
    expect(readScenario(write(damaged('plan.script', undefined))).plan.script).toBeUndefined();
  });
});

describe('what to replay', () => {
  const code = codeVersion();

  test('is a seed, alone or with the code that it belongs to', () => {
    const plan = drawSimPlan(42, code);
    expect(planToReplay({ what: '42', choices: {} })).toEqual({ plan, saved: undefined });
    expect(planToReplay({ what: `42@${code}`, choices: {} }).plan).toEqual(plan);
    const chosen = planToReplay({ what: '42', choices: { memberCount: 1 } });
    expect(chosen.plan.memberCount).toBe(1);
  });

  test('is a scenario file of this code', () => {
    const scenario: Scenario = scenarioOf(
      { ...PLAN, code },
      { traceHash: TRACE_HASH, failure: FAILURE },
    );
    const path = write(scenario, 'own.json');
    expect(planToReplay({ what: path, choices: {} })).toEqual({
      plan: scenario.plan,
      saved: scenario,
    });
  });

  test('is refused if it was made by other code, or no seed', () => {
    const other = write(damaged('plan.code', 'ffffffffffff'), 'other.json');
    for (const what of [other, '42@ffffffffffff']) {
      const message = refusal(() => planToReplay({ what, choices: {} }));
      expect(message).toContain(`made by code ffffffffffff and this is ${code}`);
    }
    expect(refusal(() => planToReplay({ what: String(2 ** 32), choices: {} }))).toContain('seeds');
    expect(refusal(() => planToReplay({ what: 'nowhere', choices: {} }))).toContain('no scenario');
  });
});

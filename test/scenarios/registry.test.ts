/** The failure modes by name: every file is in the registry, complete, and in the guide. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SCENARIOS, scenarioNamed } from '../../harness/scenarios/registry.ts';

const ROOT = join(import.meta.dirname, '../..');
const names: readonly string[] = SCENARIOS.map(({ name }) => name);

describe('the registry', () => {
  test('names are unique, and as users type them', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
  });

  test('has every file of modes, by its name', () => {
    const files = readdirSync(join(ROOT, 'harness/scenarios/modes'));
    expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual([...names].sort());
  });

  test('finds by name, and nothing for another', () => {
    expect(scenarioNamed('leader-loss')?.name).toBe('leader-loss');
    expect(scenarioNamed('leader-los')).toBeUndefined();
  });

  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s says all that it has to',
    (_, scenario) => {
      const { story, affected, trigger, checker, expected, timeLimitMs } = scenario;
      const words = [story, affected, trigger, expected.stormraft.words, expected.etcd.words];
      expect(words.filter((text) => text.length < 4 || text.includes('\n'))).toEqual([]);
      expect(existsSync(join(ROOT, checker))).toBe(true);
      expect(timeLimitMs).toBeGreaterThanOrEqual(30_000);
    },
  );
});

describe('docs/scenarios.md', () => {
  const rows = readFileSync(join(ROOT, 'docs/scenarios.md'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, stormraft, etcd] =
        /^\| `([\w-]+)` \|[^|]+\| (\w+) \| (\w+) \|/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, stormraft, etcd }];
    });

  test('has every mode with its outcomes, and no other', () => {
    const wanted = SCENARIOS.map(({ name, expected: { stormraft, etcd } }) => {
      return { name, stormraft: stormraft.outcome, etcd: etcd.outcome };
    });
    expect(rows).toEqual(wanted);
  });
});

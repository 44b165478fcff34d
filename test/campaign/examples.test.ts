/** The files in docs/examples parse, have what their systems ask for, and storm knows them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { cellsOfShard, expandMatrix, type Shard } from '../../harness/campaign/cell.ts';
import { readMatrixFile } from '../../harness/campaign/matrix-file.ts';
import { addMerge, campaignRequest, withMatrix } from '../../harness/cli/campaign.ts';
import { withTiming } from '../../harness/cli/timing-options.ts';

const ROOT = join(import.meta.dirname, '../..');
const CAMPAIGN = join(ROOT, 'docs/examples/campaign.yaml');

/** As GitHub writes a variable. */
const SHARD = '$\u007b{ matrix.shard }}';

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly with?: { readonly [name: string]: string };
}

interface Workflow {
  readonly jobs: {
    readonly [name: string]: {
      readonly 'runs-on': string;
      readonly needs?: string;
      readonly if?: string;
      readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } };
      readonly steps: readonly Step[];
    };
  };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface ConfigMap extends Manifest {
  readonly data: { readonly [name: string]: string };
}

interface Job extends Manifest {
  readonly spec: {
    readonly completionMode?: string;
    readonly completions?: number;
    readonly parallelism?: number;
    readonly backoffLimitPerIndex?: number;
    readonly podFailurePolicy?: {
      readonly rules: readonly {
        readonly action: string;
        readonly onExitCodes: { readonly containerName: string; readonly operator: string };
      }[];
    };
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly containers: readonly {
          readonly name: string;
          readonly image: string;
          readonly command: readonly string[];
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        }[];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly persistentVolumeClaim?: { readonly claimName: string };
        }[];
      };
    };
  };
}

/** The documents of a file, read as strictly as YAML can be. */
function documentsIn<Documents>(name: string): Documents {
  const text = readFileSync(join(ROOT, 'docs/examples', name), 'utf8');
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS() as unknown;
  }) as Documents;
}

interface StormCommand {
  readonly command: string;
  readonly words: readonly string[];
}

/** The one `storm` command in a line of shell; variables get the values given. */
function stormIn(line: string, values: Readonly<Record<string, string>> = {}): StormCommand {
  let text = line;
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(name, value);
  const [, rest] = /^(?:npm run storm --|exec node harness\/cli\.ts) (.+)$/s.exec(text.trim())!;
  expect(rest).not.toContain('$');
  const [command, ...words] = rest!.trim().split(/\s+/);
  return { command: command!, words };
}

/** The words after an option; undefined: not given. */
function wordAfter({ words }: StormCommand, option: string): string | undefined {
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

function expectKnown({ command, words }: StormCommand): void {
  const program = new Command();
  withMatrix(withTiming(program.command('run')));
  addMerge(program, () => undefined);
  const known = program.commands.find((each) => each.name() === command)?.options ?? [];
  const options = known.map(({ long }) => long);
  const given = words.filter((word) => word.startsWith('--'));
  expect(given.filter((option) => !options.includes(option))).toEqual([]);
}

/** Whether the shards have every cell of the matrix once, each in a directory of its own. */
function expectWhole(commands: readonly StormCommand[], matrixFile: string): void {
  const shards: Shard[] = [];
  const directories = new Set<string>();
  for (const storm of commands) {
    const request = campaignRequest({
      matrix: matrixFile,
      shard: wordAfter(storm, '--shard')!,
      runsDir: wordAfter(storm, '--runs-dir')!,
      keepGoing: storm.words.includes('--keep-going'),
    })!;
    shards.push(request.shard);
    directories.add(request.directory);
  }
  const cells = expandMatrix(readMatrixFile(matrixFile).matrix);
  const ids = shards.flatMap((shard) => cellsOfShard(cells, shard)).map(({ id }) => id);
  expect(ids.sort()).toEqual(cells.map(({ id }) => id).sort());
  expect(directories.size).toBe(commands.length);
}

test('the campaign has as many storms as it says', () => {
  const [, count] = / = (\d+) storms/.exec(readFileSync(CAMPAIGN, 'utf8'))!;
  expect(expandMatrix(readMatrixFile(CAMPAIGN).matrix)).toHaveLength(Number(count));
});

describe('github-actions.yaml', () => {
  const [workflow] = documentsIn<[Workflow]>('github-actions.yaml');
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test('has what a workflow must have', () => {
    expect(Object.keys(workflow).sort()).toEqual(['jobs', 'name', 'on']);
    for (const job of Object.values(workflow.jobs)) {
      expect(job['runs-on']).toBe('ubuntu-latest');
      for (const step of job.steps) {
        expect([step.run, step.uses].filter((what) => typeof what === 'string')).toHaveLength(1);
        if (step.uses) expect(step.uses).toMatch(/^actions\/[\w-]+@v\d+$/);
      }
    }
    expect(workflow.jobs.merge).toMatchObject({ needs: 'storm', if: 'always()' });
  });

  test('runs every cell once, keeps the results, and merges all of them', () => {
    const { matrix } = workflow.jobs.storm!.strategy!;
    const run = steps.find((step) => step.run?.includes('--matrix'))!.run!;
    const commands = matrix.shard.map((shard) => stormIn(run, { [SHARD]: String(shard) }));
    expectKnown(commands[0]!);
    expect(commands[0]!.command).toBe('run');
    expectWhole(commands, join(ROOT, wordAfter(commands[0]!, '--matrix')!));
    const merge = stormIn(steps.find((step) => step.run?.includes('-- merge'))!.run!);
    expectKnown(merge);
    const directories = commands.map((storm) => wordAfter(storm, '--runs-dir'));
    expect(merge.words.slice(0, directories.length)).toEqual(directories);
    const up = steps.find((step) => step.with?.name?.startsWith('campaign-'))!.with!;
    expect(up.path!.split('\n')[0]).toBe('campaign');
    const down = steps.find((step) => step.uses?.startsWith('actions/download-artifact'))!.with!;
    expect(down).toMatchObject({ path: 'campaign', pattern: 'campaign-*' });
  });
});

describe('kubernetes.yaml', () => {
  const [configMap, claim, job] = documentsIn<[ConfigMap, Manifest, Job]>('kubernetes.yaml');
  const [merge] = documentsIn<[Job]>('kubernetes-merge.yaml');

  test('has what its kinds must have', () => {
    expect([configMap, claim, job, merge].map(({ kind }) => kind)).toEqual([
      ...['ConfigMap', 'PersistentVolumeClaim', 'Job', 'Job'],
    ]);
    expect([configMap, claim].map(({ apiVersion }) => apiVersion)).toEqual(['v1', 'v1']);
    for (const { apiVersion, metadata, spec } of [job, merge]) {
      expect(apiVersion).toBe('batch/v1');
      expect(metadata.name).toMatch(/^[a-z][a-z-]+$/);
      const { restartPolicy, containers, volumes } = spec.template.spec;
      expect(restartPolicy).toBe('Never');
      const names = volumes.map(({ name }) => name);
      for (const { image, volumeMounts } of containers) {
        expect(image).toMatch(/^[\w./-]+:\w+$/);
        for (const { name } of volumeMounts) expect(names).toContain(name);
      }
      const volume = volumes.find(({ name }) => name === 'results');
      expect(volume?.persistentVolumeClaim?.claimName).toBe(claim.metadata.name);
    }
    // These three go together only.
    expect(job.spec.completionMode).toBe('Indexed');
    expect(job.spec.backoffLimitPerIndex).toBeGreaterThan(0);
    const rule = job.spec.podFailurePolicy!.rules[0]!;
    expect(rule).toMatchObject({ action: 'FailIndex', onExitCodes: { operator: 'In' } });
    expect(rule.onExitCodes.containerName).toBe(job.spec.template.spec.containers[0]!.name);
    expect(job.spec.template.spec.volumes[0]!.configMap!.name).toBe(configMap.metadata.name);
  });

  test('runs every cell once, and merges all shards', () => {
    const directory = mkdtempSync(join(tmpdir(), 'storm-examples-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const matrix = join(directory, 'campaign.yaml');
    writeFileSync(matrix, configMap.data['campaign.yaml']!);
    const container = job.spec.template.spec.containers[0]!;
    expect(container.command.slice(0, 2)).toEqual(['sh', '-c']);
    const count = job.spec.completions!;
    expect(job.spec.parallelism).toBeLessThanOrEqual(count);
    const commands = Array.from({ length: count }, (_, index) =>
      stormIn(container.command[2]!, {
        '$((JOB_COMPLETION_INDEX + 1))': String(index + 1),
        $JOB_COMPLETION_INDEX: String(index),
      }),
    );
    expectKnown(commands[0]!);
    const mounted = `${container.volumeMounts[0]!.mountPath}/campaign.yaml`;
    expect(wordAfter(commands[0]!, '--matrix')).toBe(mounted);
    expectWhole(commands, matrix);
    const merging = stormIn(merge.spec.template.spec.containers[0]!.command[2]!);
    expectKnown(merging);
    expect(merging.command).toBe('merge');
    const directories = commands.map((storm) => wordAfter(storm, '--runs-dir'));
    expect(merging.words.slice(0, count)).toEqual(directories);
  });
});

/**
 * A plan file, YAML or JSON: a storm composed by hand. Everything in it is checked before anything
 * starts; what is wrong is told in one line: file, path of the field, and what is allowed there.
 */
import { basename } from 'node:path';
import { StormError } from '../exit-code.ts';
import { parseRunRequest, type RawRunOptions, type RunRequest } from '../options.ts';
import { parseFields, readFieldsFile } from '../yaml-fields.ts';
import type { Values } from './parameters.ts';
import { inWords } from './values.ts';
import { kindsIn, writtenSchedule } from './written-schedule.ts';

/** Fields that are options of `storm run`, too: what stands on the command line counts. */
const OPTIONS: { readonly [field: string]: keyof RawRunOptions } = {
  seed: 'seed',
  members: 'members',
  'time-limit': 'timeLimit',
  concurrency: 'concurrency',
  rate: 'rate',
  'heartbeat-interval': 'heartbeatInterval',
  'election-timeout': 'electionTimeout',
  cluster: 'cluster',
  wan: 'wan',
  disk: 'disk',
};
const FIELDS: readonly string[] = [...Object.keys(OPTIONS), 'require', 'schedule'];

/** As {@link parseRunRequest}; `--plan FILE` states what the command line leaves out. */
export function readRunRequest(raw: RawRunOptions, drawSeed: () => number): RunRequest {
  const { plan, ...others } = raw;
  if (plan === undefined) return parseRunRequest(raw, drawSeed);
  if (raw.faults !== undefined) {
    throw new StormError('--faults: not with --plan, which says which; leave one of them out');
  }
  return {
    ...requestOf(basename(plan), readFieldsFile('--plan', plan), others, drawSeed),
    planFile: plan,
  };
}

/** `file`: its name, for messages. Throws {@link StormError}. */
export function requestOf(
  file: string,
  text: string,
  raw: RawRunOptions,
  drawSeed: () => number,
): RunRequest {
  const fields = parseFields(file, text, FIELDS);
  const stated = optionsIn(file, fields);
  const kinds = kindsIn(`${file}: schedule`, fields.schedule);
  if (!kinds.ok) throw new StormError(kinds.error);
  const required = requiredIn(file, fields.require, kinds.value);
  const request = parseRunRequest(
    {
      ...stated,
      ...raw,
      faults: kinds.value.join(','),
      require: [...required, ...(raw.require ?? [])],
    },
    drawSeed,
  );
  const entries = fields.schedule as readonly Values[];
  const schedule = writtenSchedule(`${file}: schedule`, entries, request.options);
  if (!schedule.ok) throw new StormError(schedule.error);
  return { ...request, schedule: schedule.value };
}

/** Each is checked alone, so that a message names the field; the two of timing must fit. */
function optionsIn(file: string, fields: Values): RawRunOptions {
  const stated: Record<string, string> = {};
  for (const [field, option] of Object.entries(OPTIONS)) {
    const value = fields[field];
    if (value === undefined) continue;
    if (typeof value !== 'number' && typeof value !== 'string') {
      throw new StormError(`${file}: ${field}: ${inWords(value)}: give a number or a word`);
    }
    stated[option] = String(value);
    if (option !== 'heartbeatInterval' && option !== 'electionTimeout') {
      check(`${file}: ${field}`, { [option]: String(value) });
    }
  }
  const { heartbeatInterval, electionTimeout } = stated as RawRunOptions;
  check(file, {
    ...(heartbeatInterval !== undefined && { heartbeatInterval }),
    ...(electionTimeout !== undefined && { electionTimeout }),
  });
  return stated;
}

/** Throws what `storm run` would say, with the place in the file for the option's name. */
function check(place: string, options: RawRunOptions): void {
  try {
    parseRunRequest({ seed: '0', ...options }, () => 0);
  } catch (error) {
    if (!(error instanceof StormError)) throw error;
    const isField = place.includes(': ');
    const said = isField
      ? error.message.replace(/^--[\w-]+:? /, '')
      : error.message.replaceAll(/--(?=[a-z])/g, '');
    throw new StormError(`${place}: ${said}`, { cause: error });
  }
}

function requiredIn(file: string, value: unknown, kinds: readonly string[]): string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((kind) => {
    if (typeof kind === 'string' && kinds.includes(kind)) return kind;
    const words = `not in the schedule; use ${kinds.join(', ')}`;
    throw new StormError(`${file}: require: ${inWords(kind)}: ${words}`);
  });
}

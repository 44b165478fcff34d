import { parseArgs } from 'node:util';
import { SettingsError } from './settings-error.ts';

/**
 * The command line and the environment, with etcd's names: `--listen-client-urls` or
 * ETCD_LISTEN_CLIENT_URLS; a flag beats the environment. Values stay text here.
 */

export type FlagName =
  | 'name'
  | 'data-dir'
  | 'listen-peer-urls'
  | 'listen-client-urls'
  | 'initial-advertise-peer-urls'
  | 'advertise-client-urls'
  | 'initial-cluster'
  | 'initial-cluster-state'
  | 'initial-cluster-token'
  | 'heartbeat-interval'
  | 'election-timeout'
  | 'snapshot-count'
  | 'log-level'
  | 'version'
  | 'help';

export interface FlagSpec {
  /** What it takes, for the help text; undefined: a switch. */
  readonly argument: string | undefined;
  readonly help: string;
}

export const FLAGS: Readonly<Record<FlagName, FlagSpec>> = {
  name: { argument: 'NAME', help: 'human-readable name of this member (default)' },
  'data-dir': { argument: 'PATH', help: 'where the member keeps its data (NAME.etcd)' },
  'listen-peer-urls': { argument: 'URLS', help: 'where peers connect (http://localhost:2380)' },
  'listen-client-urls': { argument: 'URLS', help: 'where clients connect (http://localhost:2379)' },
  'initial-advertise-peer-urls': {
    argument: 'URLS',
    help: 'how peers reach this member (http://localhost:2380)',
  },
  'advertise-client-urls': {
    argument: 'URLS',
    help: 'how clients reach this member (http://localhost:2379)',
  },
  'initial-cluster': { argument: 'NAME=URL,…', help: 'all members of a new cluster' },
  'initial-cluster-state': { argument: 'new|existing', help: 'what the member joins (new)' },
  'initial-cluster-token': { argument: 'TOKEN', help: 'tells clusters apart (etcd-cluster)' },
  'heartbeat-interval': { argument: 'MS', help: 'time between heartbeats (100)' },
  'election-timeout': {
    argument: 'MS',
    help: 'silence of the leader before an election, at least 5 heartbeats (1000)',
  },
  'snapshot-count': { argument: 'ENTRIES', help: 'log entries between two checkpoints (10000)' },
  'log-level': { argument: 'LEVEL', help: 'debug, info, warn, error, panic or fatal (info)' },
  version: { argument: undefined, help: 'print the version and exit' },
  help: { argument: undefined, help: 'print this text and exit' },
};

export type FlagValues = Readonly<Partial<Record<FlagName, string>>>;

export interface ParsedFlags {
  readonly values: FlagValues;
  /** ETCD_* variables that name no flag: worth a warning, as in etcd. */
  readonly unknownEnvironment: readonly string[];
}

/** Throws {@link SettingsError} on a flag that does not exist or lacks its value. */
export function parseFlags(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedFlags {
  const fromEnvironment: Partial<Record<FlagName, string>> = {};
  const unknownEnvironment: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('ETCD_') || value === undefined) continue;
    const name = variable.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-');
    if (isFlag(name)) fromEnvironment[name] = value;
    else unknownEnvironment.push(variable);
  }
  return { values: { ...fromEnvironment, ...parseArguments(argv) }, unknownEnvironment };
}

function parseArguments(argv: readonly string[]): FlagValues {
  const values: Partial<Record<FlagName, string>> = {};
  const { tokens } = parseArgs({
    args: argv.map(normalise),
    strict: false,
    tokens: true,
    options: OPTIONS,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new SettingsError(token.value, 'is not a flag; flags start with --');
    }
    if (token.kind !== 'option') continue;
    if (!isFlag(token.name)) throw new SettingsError(token.rawName, 'is no flag; see --help');
    if (FLAGS[token.name].argument === undefined) values[token.name] = token.value ?? 'true';
    else if (token.value === undefined) throw new SettingsError(token.name, 'needs a value');
    else values[token.name] = token.value;
  }
  return values;
}

/** Go programs take `-name` for `--name`. */
function normalise(argument: string): string {
  return /^-[a-z][a-z-]+/.test(argument) ? `-${argument}` : argument;
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

const OPTIONS = Object.fromEntries(
  Object.entries(FLAGS).map(([name, spec]) => [
    name,
    { type: spec.argument === undefined ? ('boolean' as const) : ('string' as const) },
  ]),
);

export function helpText(): string {
  const lines = Object.entries(FLAGS).map(([name, { argument, help }]) => {
    const left = argument === undefined ? `--${name}` : `--${name} ${argument}`;
    return `  ${left.padEnd(40)} ${help}`;
  });
  return ['Usage: stormraft [flags]', '', ...lines, ''].join('\n');
}

import { FLAGS_OF_GATES, IGNORED_FLAGS, REFUSED_FLAGS, RENAMED_FLAGS } from './flags/old-flags.ts';
import { FLAGS, type FlagName, type FlagValues, isFlag } from './flags.ts';
import { SettingsError } from './settings-error.ts';

/**
 * The command line and the environment, with etcd's names: `--listen-client-urls` or
 * ETCD_LISTEN_CLIENT_URLS; a flag beats the environment. Values stay text here.
 */

export interface FlagWarning {
  readonly kind: 'ignored' | 'renamed';
  readonly name: string;
  /** What to use instead of it; empty: nothing. */
  readonly use: string;
}

export interface ParsedFlags {
  readonly values: FlagValues;
  readonly warnings: readonly FlagWarning[];
  /** ETCD_* variables that name no flag: worth a warning, as in etcd. */
  readonly unknownEnvironment: readonly string[];
}

/** A name as it was given, and its text. */
export type GivenSetting = readonly [name: string, value: string];

/** Throws {@link SettingsError} on a flag that does not exist or lacks its value. */
export function parseFlags(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedFlags {
  const given: GivenSetting[] = [];
  const unknownEnvironment: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    // As in etcd, an empty variable is one that is not there.
    if (!variable.startsWith('ETCD_') || value === undefined || value === '') continue;
    const name = variable.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-');
    // A variable must not turn a server into a program that prints its version.
    const known = isKnown(name) && name !== 'version' && name !== 'help';
    if (known) given.push([name, value]);
    else unknownEnvironment.push(variable);
  }
  const fromEnvironment = resolveNames(given);
  const fromArguments = resolveNames(parseArguments(argv));
  return {
    values: { ...fromEnvironment.values, ...fromArguments.values },
    warnings: [...fromEnvironment.warnings, ...fromArguments.warnings],
    unknownEnvironment,
  };
}

/** As Go does it: one dash or two, `--flag value` or `--flag=value`, a switch may stand alone. */
function parseArguments(argv: readonly string[]): GivenSetting[] {
  const given: GivenSetting[] = [];
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) throw new SettingsError(argument, 'is not a flag; flags start with --');
    if (!isKnown(name)) throw new SettingsError(`--${name}`, 'is no flag; see --help');
    if (inline !== undefined) given.push([name, inline]);
    else if (isSwitch(name)) given.push([name, 'true']);
    else {
      at += 1;
      const value = argv[at];
      if (value === undefined) throw new SettingsError(name, 'needs a value');
      given.push([name, value]);
    }
  }
  return given;
}

function isKnown(name: string): boolean {
  return (
    isFlag(name) ||
    [RENAMED_FLAGS, FLAGS_OF_GATES, IGNORED_FLAGS, REFUSED_FLAGS].some((table) =>
      Object.hasOwn(table, name),
    )
  );
}

function isSwitch(name: string): boolean {
  const today = RENAMED_FLAGS[name] ?? name;
  if (isFlag(today)) return FLAGS[today].argument === undefined;
  return Object.hasOwn(FLAGS_OF_GATES, name) || IGNORED_FLAGS[name] === 'switch';
}

/**
 * Settings of one source under the names of today; of a name that is given twice the last counts.
 * Every name must be known. Throws {@link SettingsError} on what cannot be obeyed.
 */
export function resolveNames(
  given: readonly GivenSetting[],
): Omit<ParsedFlags, 'unknownEnvironment'> {
  const values: Partial<Record<FlagName, string>> = {};
  const warnings: FlagWarning[] = [];
  const gates: string[] = [];
  for (const [name, value] of given) if (isFlag(name)) values[name] = value;
  for (const [name, value] of given) {
    if (isFlag(name)) continue;
    const today = RENAMED_FLAGS[name];
    const gate = FLAGS_OF_GATES[name];
    const refused = REFUSED_FLAGS[name];
    if (today !== undefined) {
      if (given.some(([other]) => other === today)) {
        throw new SettingsError(name, `is the old name of ${today}, which is given too; keep that`);
      }
      values[today] = value;
      warnings.push({ kind: 'renamed', name, use: today });
    } else if (gate !== undefined) {
      gates.push(`${gate}=${value}`);
      warnings.push({ kind: 'renamed', name, use: `feature-gates ${gate}=${value}` });
    } else if (refused !== undefined) {
      if (!refused.harmless.includes(value)) throw new SettingsError(name, refused.problem);
    } else warnings.push({ kind: 'ignored', name, use: '' });
  }
  if (gates.length > 0) {
    const explicit = values['feature-gates'];
    values['feature-gates'] = [...(explicit === undefined ? [] : [explicit]), ...gates].join();
  }
  return { values, warnings };
}

import { parseDocument } from 'yaml';
import { FLAGS_OF_GATES, IGNORED_FLAGS, REFUSED_FLAGS, RENAMED_FLAGS } from './flags/old-flags.ts';
import { FLAGS, type FlagName, isFlag } from './flags.ts';
import { type GivenSetting, type ParsedFlags, resolveNames } from './parse-flags.ts';
import { SettingsError } from './settings-error.ts';

/**
 * etcd's configuration file: YAML whose keys are the names of flags, with TLS in two groups of
 * its own. Where it is used, flags and environment are not. Durations are nanoseconds there.
 */

const FIELD = 'config-file';

const GROUPS: Readonly<Record<string, Readonly<Record<string, FlagName>>>> = {
  'client-transport-security': {
    'cert-file': 'cert-file',
    'key-file': 'key-file',
    'client-cert-file': 'client-cert-file',
    'client-key-file': 'client-key-file',
    'client-cert-auth': 'client-cert-auth',
    'trusted-ca-file': 'trusted-ca-file',
    'crl-file': 'client-crl-file',
    'auto-tls': 'auto-tls',
    'allowed-cn': 'client-cert-allowed-cn',
    'allowed-hostname': 'client-cert-allowed-hostname',
  },
  'peer-transport-security': {
    'cert-file': 'peer-cert-file',
    'key-file': 'peer-key-file',
    'client-cert-file': 'peer-client-cert-file',
    'client-key-file': 'peer-client-key-file',
    'client-cert-auth': 'peer-client-cert-auth',
    'trusted-ca-file': 'peer-trusted-ca-file',
    'crl-file': 'peer-crl-file',
    'auto-tls': 'peer-auto-tls',
    'allowed-cn': 'peer-cert-allowed-cn',
    'allowed-hostname': 'peer-cert-allowed-hostname',
    'skip-client-san-verification': 'peer-skip-client-san-verification',
  },
  'socket-options': {
    'reuse-port': 'socket-reuse-port',
    'reuse-address': 'socket-reuse-address',
  },
};

/** Throws {@link SettingsError} for text that is no YAML, and for the first key that is unknown. */
export function parseConfigFile(text: string): Omit<ParsedFlags, 'unknownEnvironment'> {
  const document = parseDocument(text, { intAsBigInt: true });
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw new SettingsError(FIELD, `is not YAML: ${fault.message.split('\n')[0]}`);
  }
  const root = mapOf(plainOf(document) ?? {}, 'the file');
  const given = Object.entries(root).flatMap(([key, value]) => settingsOfKey(key, value));
  const { values, warnings } = resolveNames(given);
  // Unlike a flag, the file leaves the advertised URLs alone when it says where to listen.
  const fallback = FLAGS['advertise-client-urls'].fallback;
  return { values: { 'advertise-client-urls': fallback, ...values }, warnings };
}

/** Aliases are refused: a few lines of them make gigabytes. */
function plainOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new SettingsError(FIELD, `cannot be read: ${String(error)}`);
  }
}

function settingsOfKey(key: string, value: unknown): readonly GivenSetting[] {
  const group = Object.hasOwn(GROUPS, key) ? GROUPS[key] : undefined;
  if (group !== undefined) {
    return Object.entries(mapOf(value ?? {}, key)).flatMap(([inner, innerValue]) => {
      if (!Object.hasOwn(group, inner)) {
        const known = Object.keys(group).join(', ');
        throw new SettingsError(FIELD, `${key} has no key ${inner}; there are ${known}`);
      }
      return scalarOf(group[inner]!, `${key}.${inner}`, innerValue);
    });
  }
  const home = Object.entries(GROUPS).find(([, flags]) =>
    Object.values(flags).some((flag) => flag === key && !TOP_LEVEL_TOO.has(flag)),
  );
  if (home !== undefined) {
    const [name, flags] = home;
    const inner = Object.keys(flags).find((each) => flags[each] === key);
    throw new SettingsError(FIELD, `${key} belongs under ${name}, as ${inner}`);
  }
  const known =
    isFlag(key) ||
    [RENAMED_FLAGS, FLAGS_OF_GATES, IGNORED_FLAGS, REFUSED_FLAGS].some((table) =>
      Object.hasOwn(table, key),
    );
  if (!known || key === FIELD || key === 'version' || key === 'help') {
    throw new SettingsError(FIELD, `${key} is no setting; keys are the names of flags, see --help`);
  }
  return scalarOf(key, key, value);
}

/** Flags that etcd's file has no place for in the groups. */
const TOP_LEVEL_TOO: ReadonlySet<FlagName> = new Set(['client-crl-file', 'peer-crl-file']);

/** Nothing for a key without a value: it is as if it were not there. */
function scalarOf(name: string, path: string, value: unknown): readonly GivenSetting[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) {
    return [[name, value.map((part) => textOf(path, part)).join()]];
  }
  const text = textOf(path, value);
  return [[name, typeof value === 'bigint' && isDuration(name) ? `${text}ns` : text]];
}

function textOf(path: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'number':
    case 'boolean':
      return String(value);
    default:
      throw new SettingsError(FIELD, `${path} is neither text, number, true, false nor a list`);
  }
}

function isDuration(name: string): boolean {
  const today = RENAMED_FLAGS[name] ?? name;
  return isFlag(today) && FLAGS[today].argument === 'TIME';
}

function mapOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new SettingsError(FIELD, `${what} must have lines of KEY: VALUE`);
}

import { readFileSync, statSync } from 'node:fs';
import { parseConfigFile } from './config-file.ts';
import { type FlagWarning, parseFlags } from './parse-flags.ts';
import { type Settings, settingsOf } from './settings.ts';
import { SettingsError } from './settings-error.ts';

/** From everything a server is started with to what it is to do. */

export type Start =
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | {
      readonly type: 'serve';
      readonly settings: Settings;
      readonly warnings: readonly FlagWarning[];
      readonly unknownEnvironment: readonly string[];
    };

/** No configuration has more. */
const CONFIG_BYTES_MAX = 1024 * 1024;

/** Throws {@link SettingsError}; reads no file but the one that `config-file` names. */
export function readSettings(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Start {
  const { values, warnings, unknownEnvironment } = parseFlags(argv, environment);
  if (values.help === 'true') return { type: 'help' };
  if (values.version === 'true') return { type: 'version' };
  const path = values['config-file'];
  if (path === undefined || path === '') {
    return { type: 'serve', settings: settingsOf(values), warnings, unknownEnvironment };
  }
  const file = parseConfigFile(readConfig(path));
  const overruled = Object.keys(values).filter((name) => name !== 'config-file');
  return {
    type: 'serve',
    settings: settingsOf(file.values),
    warnings: [
      ...file.warnings,
      ...overruled.map((name) => ({ kind: 'ignored' as const, name, use: 'config-file' })),
    ],
    unknownEnvironment,
  };
}

function readConfig(path: string): string {
  try {
    if (statSync(path).size > CONFIG_BYTES_MAX) {
      throw new SettingsError('config-file', `${path} has more than ${CONFIG_BYTES_MAX} bytes`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError('config-file', `${path} cannot be read (${code})`);
  }
}

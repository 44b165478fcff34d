import { destination } from 'pino';
import { createLog } from '../host/pino-log.ts';
import { API_VERSION } from '../service/api-version.ts';
import { EXIT_CODE, type ExitReason, StartError } from './exit-code.ts';
import { helpText, parseFlags } from './flags.ts';
import { SERVER_VERSION } from './server-version.ts';
import { type Settings, settingsOf } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { startServer } from './start.ts';

/** The `stormraft` command: reads its settings, runs the server until it is told to stop. */
export async function main(argv: readonly string[]): Promise<void> {
  const parsed = readSettings(argv);
  if (parsed === undefined) return;
  const { settings, unknownEnvironment } = parsed;
  // Synchronous, so that the last line before an exit is not lost.
  const log = createLog(settings.logLevel, destination({ fd: 2, sync: true }));
  for (const name of unknownEnvironment) log.warn('ignored unknown variable', { name });
  let ending = false;
  const end = (reason: ExitReason): void => {
    ending = true;
    process.exit(EXIT_CODE[reason]);
  };
  try {
    const server = await startServer(settings, log, (what, cause) => {
      if (ending) return;
      log.error(what, { cause: cause instanceof Error ? (cause.stack ?? '') : String(cause) });
      end(what === 'internal error' ? 'internal' : 'disk');
    });
    const onSignal = (signal: string): void => {
      if (ending) return;
      ending = true;
      log.info('stopping', { signal });
      server.stop().then(
        () => process.exit(EXIT_CODE.ok),
        (error: unknown) => {
          log.error('could not stop cleanly', { cause: String(error) });
          process.exit(EXIT_CODE.disk);
        },
      );
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`stormraft: ${error.message}\n`);
    end(error.reason);
  }
}

function readSettings(
  argv: readonly string[],
): { readonly settings: Settings; readonly unknownEnvironment: readonly string[] } | undefined {
  try {
    const { values, unknownEnvironment } = parseFlags(argv, process.env);
    if (values.help === 'true') return print(helpText());
    if (values.version === 'true') {
      return print(`etcd Version: ${API_VERSION}\nStormraft Version: ${SERVER_VERSION}\n`);
    }
    return { settings: settingsOf(values), unknownEnvironment };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`stormraft: ${error.message}\n`);
    process.exit(EXIT_CODE.settings);
  }
}

function print(text: string): undefined {
  process.stdout.write(text);
  return undefined;
}

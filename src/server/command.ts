import { createLog, openLog } from '../host/pino-log.ts';
import { RealClock } from '../host/real-clock.ts';
import type { Log } from '../ports/log.ts';
import { describeDiskFailure } from './disk-failure.ts';
import { EXIT_CODE, type ExitReason, StartError } from './exit-code.ts';
import { helpText } from './flags.ts';
import { readGatewaySettings } from './gateway-settings.ts';
import { readSettings, type Start } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { startServer } from './start.ts';
import { TcpGateway } from './tcp-gateway.ts';
import { versionText } from './version-text.ts';

/** The `stormraft` command: reads its settings, runs the server until it is told to stop. */
export async function main(argv: readonly string[]): Promise<void> {
  const [first, ...others] = argv;
  if (first === 'gateway') return forward(others);
  const start = orRefuse(() => readSettings(argv, process.env));
  if (start.type !== 'serve') {
    process.stdout.write(start.type === 'help' ? helpText() : versionText());
    return;
  }
  const { settings } = start;
  const log = orRefuse(() => logOf(settings));
  warn(log, start);
  let ending = false;
  const end = (reason: ExitReason): void => {
    ending = true;
    process.exit(EXIT_CODE[reason]);
  };
  try {
    const server = await startServer(settings, log, {
      onFatal: (what, cause) => {
        if (ending) return;
        const reason = describeDiskFailure(cause);
        if (reason !== undefined) {
          log.error(what, { reason });
          process.stderr.write(`stormraft: ${reason}\n`);
        } else {
          log.error(what, { cause: cause instanceof Error ? (cause.stack ?? '') : String(cause) });
        }
        end(what === 'internal error' ? 'internal' : 'disk');
      },
      onRemoved: () => stop('removed'),
    });
    const stop = (reason: ExitReason): void => {
      if (ending) return;
      ending = true;
      server.stop().then(
        () => process.exit(EXIT_CODE[reason]),
        (error: unknown) => {
          log.error('could not stop cleanly', { cause: String(error) });
          process.exit(EXIT_CODE.disk);
        },
      );
    };
    const onSignal = (signal: string): void => {
      if (!ending) log.info('stopping', { signal });
      stop('ok');
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  } catch (error) {
    const diskFailure = describeDiskFailure(error);
    if (diskFailure === undefined && !(error instanceof StartError)) throw error;
    process.stderr.write(`stormraft: ${diskFailure ?? (error as StartError).message}\n`);
    end(error instanceof StartError ? error.reason : 'disk');
  }
}

/** `stormraft gateway start …`: no member, only a forwarder to some. */
async function forward(argv: readonly string[]): Promise<void> {
  const settings = orRefuse(() => readGatewaySettings(argv));
  const log = createLog('info', process.stderr);
  const gateway = new TcpGateway(settings, { clock: new RealClock(), log });
  const stop = (): void => void gateway.close().then(() => process.exit(EXIT_CODE.ok));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await gateway.open();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`stormraft: ${error.message}\n`);
    process.exit(EXIT_CODE[error.reason]);
  }
}

/** What `read` returns; a setting that cannot be used ends the process. */
function orRefuse<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`stormraft: ${error.message}\n`);
    process.exit(EXIT_CODE.settings);
  }
}

function logOf(settings: Settings): Log {
  const log = openLog(settings.logLevel, settings.log);
  if (log.ok) return log.value;
  throw new SettingsError('log-outputs', log.error);
}

function warn(log: Log, start: Extract<Start, { type: 'serve' }>): void {
  for (const name of start.unknownEnvironment) log.warn('ignored unknown variable', { name });
  for (const { kind, name, use } of start.warnings) {
    if (kind === 'renamed') log.warn('old name of a setting', { name, use });
    else if (use === '') log.warn('ignored setting', { name });
    else log.warn('ignored setting: another source of settings is used', { name, use });
  }
}

import { parseArgs } from 'node:util';
import { parseGoDuration } from './go-duration.ts';
import { SettingsError } from './settings-error.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface GatewaySettings {
  readonly endpoints: readonly HostPort[];
  readonly listen: HostPort;
  /** How long an address that could not be reached is left out. */
  readonly retryMs: number;
}

const FLAGS = {
  endpoints: { type: 'string', default: '127.0.0.1:2379' },
  'listen-addr': { type: 'string', default: '127.0.0.1:23790' },
  'retry-delay': { type: 'string', default: '1m0s' },
} as const;

/** From what follows `gateway`, `start` among it; throws {@link SettingsError}. */
export function readGatewaySettings(argv: readonly string[]): GatewaySettings {
  const { values, positionals } = parsed(argv);
  if (positionals.join() !== 'start') {
    throw new SettingsError('gateway', 'write gateway start --endpoints=HOST:PORT,…');
  }
  const retryMs = parseGoDuration(values['retry-delay']);
  if (retryMs === undefined || retryMs < 0) {
    const quoted = JSON.stringify(values['retry-delay']);
    throw new SettingsError('retry-delay', `${quoted} is not a duration like 1m0s`);
  }
  const endpoints = values.endpoints.split(',').map((text) => hostPort('endpoints', text));
  return { endpoints, listen: hostPort('listen-addr', values['listen-addr']), retryMs };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new SettingsError('gateway', error instanceof Error ? error.message : String(error));
  }
}

/** `host:port`, or such a URL: what is spoken on it is none of a forwarder's business. */
function hostPort(field: string, text: string): HostPort {
  const [, bracketed, plain, digits] = HOST_PORT.exec(text.trim()) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  if (host === undefined || !(port <= PORT_MAX)) {
    throw new SettingsError(field, `${JSON.stringify(text)} is not HOST:PORT`);
  }
  return { host, port };
}

const HOST_PORT = /^(?:https?:\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d+)\/?$/;
const PORT_MAX = 65_535;

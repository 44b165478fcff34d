import {
  blockThread,
  breakIntoDebugger,
  panicProcess,
  writeLine,
} from '../../host/failpoint-effects.ts';
import type { Failpoints } from '../../ports/failpoints.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { StartError } from '../exit-code.ts';
import { FailpointFront } from './http-front.ts';
import { FailpointRegistry } from './registry.ts';
import type { FailpointEffects } from './terms.ts';

/** For tests only: a server that is asked for failpoints by its environment. */
export interface OpenedFailpoints {
  /** Undefined: nobody asked for any. */
  readonly failpoints: Failpoints | undefined;
  /** Says in the log that they are on. */
  announce(): void;
  close(): Promise<void>;
}

export interface FailpointParts {
  readonly log: Log;
  readonly random: Random;
}

const NONE: OpenedFailpoints = {
  failpoints: undefined,
  announce: () => undefined,
  close: async () => undefined,
};

/**
 * `GOFAIL_HTTP=host:port` opens the endpoint, `GOFAIL_FAILPOINTS=name=terms;…` sets some from the
 * start. Throws {@link StartError} that names the variable.
 */
export async function openFailpoints(
  environment: Readonly<Record<string, string | undefined>>,
  { log, random }: FailpointParts,
): Promise<OpenedFailpoints> {
  const { GOFAIL_HTTP: address = '', GOFAIL_FAILPOINTS: initial = '' } = environment;
  if (address === '' && initial === '') return NONE;
  const failpoints = new FailpointRegistry(effectsOf(random.fork('failpoints')));
  const set = failpoints.enableAssigned(initial);
  if (!set.ok) throw new StartError('settings', `GOFAIL_FAILPOINTS: ${set.error.message}`);
  const front = address === '' ? undefined : await openFront(address, failpoints, log);
  return {
    failpoints,
    announce: () => {
      const fields = { http: address, failpoints: initial };
      log.warn('UNSAFE: failpoints are on: this process ends when one says so', fields);
    },
    close: async () => front?.close(),
  };
}

async function openFront(
  address: string,
  registry: FailpointRegistry,
  log: Log,
): Promise<FailpointFront> {
  const { host = '', port } =
    /^(?<host>\[[^\]]+\]|[^:]*):(?<port>\d+)$/.exec(address)?.groups ?? {};
  if (port === undefined || Number(port) > PORT_MAX) {
    const quoted = JSON.stringify(address);
    throw new StartError('settings', `GOFAIL_HTTP: ${quoted} is not HOST:PORT`);
  }
  const front = new FailpointFront(registry, ({ name, terms }) => {
    if (terms === undefined) log.warn('failpoint is off', { name });
    else log.warn('failpoint is set', { name, terms });
  });
  try {
    await front.listen(host.replaceAll(/[[\]]/g, ''), Number(port));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const problem = `cannot listen on ${address} (${code}); free the port or choose another`;
    throw new StartError('port', `GOFAIL_HTTP: ${problem}`, error);
  }
  return front;
}

const PORT_MAX = 65_535;

function effectsOf(random: Random): FailpointEffects {
  return {
    chance: () => random.below(CHANCES) / CHANCES,
    block: blockThread,
    panic: panicProcess,
    breakpoint: breakIntoDebugger,
    print: writeLine,
  };
}

const CHANCES = 2 ** 32;

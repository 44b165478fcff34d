import { assert } from '../lib/assert.ts';
import type { Log } from '../ports/log.ts';
import {
  type ClientPort,
  type ClientPortOptions,
  type ListenAddress,
  type OpenTls,
  openClientPort,
} from './client-port.ts';
import type { ApiLimits } from './limits.ts';

/** All addresses that clients may use; URLs that differ in their scheme only share a port. */

export interface ClientAddress extends ListenAddress {
  /** `https://`. Default: no. */
  readonly secure?: boolean;
  /** --listen-client-http-urls and the like; default: both. */
  readonly serves?: 'both' | 'http1' | 'http2';
}

export interface ClientPortsOptions extends Pick<ClientPortOptions, 'acceptHttp1' | 'acceptHttp2'> {
  readonly limits: ApiLimits;
  readonly log: Log;
  /** Needed where an address is secure. */
  readonly tls?: OpenTls;
  readonly certificateIsUser?: boolean;
  readonly reusePort?: boolean | undefined;
}

/** Rejects with ApiError if a port cannot be opened; then none stays open. */
export async function openClientPorts(
  addresses: readonly ClientAddress[],
  options: ClientPortsOptions,
): Promise<readonly ClientPort[]> {
  const ports: ClientPort[] = [];
  try {
    for (const shared of byPort(addresses)) ports.push(await open(shared, options));
  } catch (error) {
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
  return ports;
}

function open(shared: readonly ClientAddress[], options: ClientPortsOptions): Promise<ClientPort> {
  const { limits, log, acceptHttp1, acceptHttp2, certificateIsUser = false, reusePort } = options;
  const anyBut = (other: 'http1' | 'http2'): boolean =>
    shared.some((address) => (address.serves ?? 'both') !== other);
  const isSecure = shared.some(({ secure }) => secure === true);
  assert(!isSecure || options.tls !== undefined, 'https:// needs a certificate');
  return openClientPort(shared[0]!, {
    limits,
    log,
    plain: shared.some(({ secure }) => secure !== true),
    tls: isSecure ? options.tls : undefined,
    certificateIsUser,
    reusePort,
    acceptHttp1: anyBut('http2') ? acceptHttp1 : undefined,
    acceptHttp2: anyBut('http1') ? acceptHttp2 : undefined,
  });
}

/** Port 0 stands for any free port, so two of them are two. */
function byPort(addresses: readonly ClientAddress[]): readonly (readonly ClientAddress[])[] {
  const groups: ClientAddress[][] = [];
  for (const address of addresses) {
    const group = groups.find(
      ([first]) =>
        address.port !== 0 && first?.host === address.host && first.port === address.port,
    );
    if (group === undefined) groups.push([address]);
    else group.push(address);
  }
  return groups;
}

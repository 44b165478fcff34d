import { ANONYMOUS, type Caller } from '../service/caller.ts';

/** Who calls, read from a request's metadata and the connection it came through. */

/** Metadata by lower-case name; `undefined` where there is none. */
export type Metadata = (name: string) => string | undefined;

/** What is known of a connection's other end. */
export interface ConnectionPeer {
  /** Of its verified client certificate; `undefined` without one, and on plain connections. */
  commonName(): string | undefined;
}

export const PLAIN_PEER: ConnectionPeer = { commonName: () => undefined };

/** Metadata that etcd's JSON gateways add: the certificate is the gateway's, not the caller's. */
const GATEWAY_MARK = 'grpcgateway-accept';
const BEARER = 'Bearer ';

export function callerOf(metadata: Metadata, peer: ConnectionPeer): Caller {
  const token = metadata('token') ?? metadata('authorization');
  const requireLeader = metadata('hasleader') === 'true';
  const name = peer.commonName();
  const isGateway = name !== undefined && metadata(GATEWAY_MARK) !== undefined;
  const commonName = isGateway ? undefined : name;
  if (token === undefined && commonName === undefined && !requireLeader) return ANONYMOUS;
  return { token: withoutBearer(token), commonName, requireLeader };
}

function withoutBearer(token: string | undefined): string | undefined {
  return token?.startsWith(BEARER) ? token.slice(BEARER.length) : token;
}

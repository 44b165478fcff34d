import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import type { ClusterId } from '../lib/ids.ts';
import type { MemberInfo } from '../member/node.ts';
import { decodeMemberJson, encodeMemberJson } from '../snap/stored-json.ts';
import type { PeerPage } from '../transport/peer-page.ts';

/**
 * Who is in a cluster, as its members tell whoever asks on their peer ports: etcd's GET /members.
 * A member that joins finds its id there; one that starts a new cluster finds out that it must not.
 */
export interface PeerMembers {
  readonly clusterId: ClusterId;
  readonly members: readonly MemberInfo[];
}

const CLUSTER_ID_HEADER = 'x-etcd-cluster-id';
const BODY_BYTES_MAX = 1024 * 1024;
const TIMEOUT_MS = 2_000;

export function membersPage({ clusterId, members }: PeerMembers): PeerPage {
  const headers = {
    'content-type': 'application/json',
    [CLUSTER_ID_HEADER]: clusterId.toString(16),
  };
  return { status: 200, headers, body: `[${members.map(encodeMemberJson).join(',\n')}]\n` };
}

/** How to ask a secure peer. */
export type PeerRequestTls = Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized'>;

/** From the first URL that answers; undefined: none does, or what it says makes no sense. */
export async function askPeerMembers(
  peerUrls: readonly string[],
  tls: PeerRequestTls,
): Promise<PeerMembers | undefined> {
  for (const peerUrl of peerUrls) {
    const found = await askOne(peerUrl, tls);
    if (found !== undefined) return found;
  }
  return undefined;
}

function askOne(peerUrl: string, tls: PeerRequestTls): Promise<PeerMembers | undefined> {
  return new Promise((resolve) => {
    const nothing = (): void => resolve(undefined);
    const socketPath = /^unix:\/\/(.+)$/.exec(peerUrl)?.[1];
    const url = new URL('/members', socketPath === undefined ? peerUrl : 'http://localhost');
    const isTls = url.protocol === 'https:';
    const place = socketPath === undefined ? {} : { socketPath };
    const options = { timeout: TIMEOUT_MS, agent: false as const, ...place, ...(isTls ? tls : {}) };
    const asked = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
        if (body.length > BODY_BYTES_MAX) asked.destroy();
      });
      response.on('error', nothing);
      response.on('end', () => resolve(parseMembers(response.headers[CLUSTER_ID_HEADER], body)));
    });
    asked.on('error', nothing);
    asked.on('timeout', () => asked.destroy());
    asked.on('close', nothing);
    asked.end();
  });
}

function parseMembers(clusterId: unknown, body: string): PeerMembers | undefined {
  if (typeof clusterId !== 'string' || !/^[0-9a-f]{1,16}$/.test(clusterId)) return undefined;
  // One member a line, as membersPage writes them: their ids are numbers that JSON would round.
  const lines = body
    .trim()
    .replace(/^\[|\]$/g, '')
    .split(/,\n/);
  const members = lines.map((line) => decodeMemberJson(line));
  const known = members.filter((member) => member !== undefined);
  if (known.length === 0 || known.length < members.length) return undefined;
  return { clusterId: BigInt(`0x${clusterId}`), members: known };
}

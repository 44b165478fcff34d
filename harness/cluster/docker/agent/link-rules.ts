/**
 * What the fault agent says to iptables about the quality of links, and reads back: text in, text
 * out. Three chains of our own: `STORM_LINKS` and `STORM_RESET` on INPUT, `STORM_PROXY` on the nat
 * table's PREROUTING, beside what Docker's name server has there.
 */

import {
  GOOD_LINKS,
  isGood,
  type LinkQuality,
  parseQuality,
} from '../../../network/link-quality.ts';
import { isIpv4, parseJson } from './rules.ts';

export const LINKS_CHAIN = 'STORM_LINKS';
export const RESET_CHAIN = 'STORM_RESET';
export const PROXY_CHAIN = 'STORM_PROXY';

/** As many as a grudge may name. */
const PEERS_MAX = 64;

/** A peer, and what the links between it and this node do. */
export interface PeerLinks {
  readonly ip: string;
  /** From the peer to this node. */
  readonly incoming: LinkQuality;
  /** From this node to the peer. */
  readonly outgoing: LinkQuality;
}

/** Where peers listen, and where the proxy beside them does. */
export interface ProxyPorts {
  readonly peer: number;
  readonly proxy: number;
}

/** Packets from peers on lossy links: those that came, and those of them that were dropped. */
export interface LossCounts {
  readonly carried: number;
  readonly lost: number;
}

/** The kernel loses packets; what is left to do is the proxy's. */
export function proxyShare(quality: LinkQuality): LinkQuality {
  return { ...quality, lossPercent: 0 };
}

export function needsProxy({ incoming, outgoing }: PeerLinks): boolean {
  return !isGood(proxyShare(incoming)) || !isGood(proxyShare(outgoing));
}

/**
 * Input of `iptables-restore --noflush` for both tables. Only new connections can be redirected:
 * those that a peer has already made past the proxy are reset, and it dials again.
 */
export function linkRules(peers: readonly PeerLinks[], ports: ProxyPorts): string {
  const lossy = peers.filter(({ incoming }) => incoming.lossPercent > 0);
  const proxied = peers.filter(needsProxy);
  const loss = lossy.flatMap(({ ip, incoming }) => {
    const probability = (incoming.lossPercent / 100).toFixed(6);
    const from = `-A ${LINKS_CHAIN} -s ${ip}/32`;
    return [from, `${from} -m statistic --mode random --probability ${probability} -j DROP`];
  });
  const to = (ip: string): string => `-s ${ip}/32 -p tcp -m tcp --dport ${ports.peer}`;
  return [
    '*filter',
    `:${LINKS_CHAIN} - [0:0]`,
    ...loss,
    ...proxied.map(({ ip }) => `-A ${LINKS_CHAIN} ${to(ip)} ${NO_RESET} ${RESET}`),
    'COMMIT',
    '*nat',
    `:${PROXY_CHAIN} - [0:0]`,
    ...proxied.map(({ ip }) => `-A ${PROXY_CHAIN} ${to(ip)} -j REDIRECT --to-ports ${ports.proxy}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** A reset must get through to the socket that it is for. */
const NO_RESET = '! --tcp-flags RST RST';
const RESET = '-j REJECT --reject-with tcp-reset';

/** Resets every connection with these on which something comes; an empty list ends it. */
export function resetRules(ips: readonly string[]): string {
  const rules = ips.map(
    (ip) =>
      `-A ${RESET_CHAIN} -s ${ip}/32 -p tcp -m conntrack --ctstate ESTABLISHED` +
      ` -m tcp ${NO_RESET} ${RESET}`,
  );
  return ['*filter', `:${RESET_CHAIN} - [0:0]`, ...rules, 'COMMIT', ''].join('\n');
}

/** From the output of `iptables-save -c -t filter`. */
export function parseLossCounts(saved: string): LossCounts {
  const from = `-A ${LINKS_CHAIN} -s [\\d.]+/32`;
  return {
    carried: packetsOf(saved, from),
    lost: packetsOf(saved, `${from} -m statistic .*-j DROP`),
  };
}

/** Packets that were answered with a reset, from the same output. */
export function parseResetCount(saved: string): number {
  return packetsOf(saved, `-A ${RESET_CHAIN} .*-j REJECT --reject-with tcp-reset`);
}

function packetsOf(saved: string, rule: string): number {
  const matches = saved.matchAll(new RegExp(`^\\[(\\d+):\\d+\\] ${rule}$`, 'gm'));
  return [...matches].reduce((sum, [, packets]) => sum + Number(packets), 0);
}

/** The body of `PUT /links`, or undefined: addresses end up in rules, so be strict. */
export function parsePeerLinks(body: string): readonly PeerLinks[] | undefined {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || !('peers' in value)) return undefined;
  const { peers } = value;
  if (!Array.isArray(peers) || peers.length > PEERS_MAX) return undefined;
  const parsed = peers.map(parsePeer);
  return parsed.every((peer) => peer !== undefined) ? parsed : undefined;
}

function parsePeer(value: unknown): PeerLinks | undefined {
  if (typeof value !== 'object' || value === null || !('ip' in value)) return undefined;
  if (!isIpv4(value.ip)) return undefined;
  const { incoming = GOOD_LINKS, outgoing = GOOD_LINKS } = value as {
    readonly incoming?: unknown;
    readonly outgoing?: unknown;
  };
  const [there, back] = [parseQuality('incoming', incoming), parseQuality('outgoing', outgoing)];
  if (!there.ok || !back.ok) return undefined;
  return { ip: value.ip, incoming: there.value, outgoing: back.value };
}

/** The body of `PUT /reset`. */
export function parseReset(body: string): readonly string[] | undefined {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || !('peers' in value)) return undefined;
  const { peers } = value;
  if (!Array.isArray(peers) || peers.length > PEERS_MAX) return undefined;
  return peers.every(isIpv4) ? [...new Set<string>(peers)] : undefined;
}

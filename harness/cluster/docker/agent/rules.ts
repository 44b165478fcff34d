/**
 * What the fault agent says to iptables and reads back: text in, text out. One chain of our own
 * on INPUT, so the nat table (Docker's name server lives there) and foreign rules are never touched.
 */

/** The agent's only chain. */
export const GRUDGE_CHAIN = 'STORM_GRUDGE';

/** Sources that one node may drop at most: the largest cluster there is, with room to spare. */
export const GRUDGE_SOURCES_MAX = 64;

/** Packets that were dropped, per source address. */
export type DropCounts = Readonly<Record<string, number>>;

/**
 * Input of `iptables-restore --noflush` that replaces all cuts in one atomic commit: declaring a
 * chain that exists empties it. An empty list heals.
 */
export function grudgeRules(dropFrom: readonly string[]): string {
  const drops = dropFrom.map((ip) => `-A ${GRUDGE_CHAIN} -s ${ip}/32 -j DROP`);
  return ['*filter', `:${GRUDGE_CHAIN} - [0:0]`, ...drops, 'COMMIT', ''].join('\n');
}

/** The dropped packets by source in the output of `iptables-save -c -t filter`. */
export function parseDropCounts(saved: string): DropCounts {
  const counts: Record<string, number> = {};
  const rule = new RegExp(
    String.raw`^\[(\d+):\d+\] -A ${GRUDGE_CHAIN} -s ([\d.]+)/32 -j DROP$`,
    'gm',
  );
  for (const [, packets, ip] of saved.matchAll(rule)) {
    if (ip !== undefined) counts[ip] = (counts[ip] ?? 0) + Number(packets);
  }
  return counts;
}

/** Sums by source. */
export function addDropCounts(a: DropCounts, b: DropCounts): DropCounts {
  const sum: Record<string, number> = { ...a };
  for (const [ip, packets] of Object.entries(b)) sum[ip] = (sum[ip] ?? 0) + packets;
  return sum;
}

/** The body of `PUT /grudge`, or undefined when it is not one: it ends up in a rule, so be strict. */
export function parseGrudge(body: string): readonly string[] | undefined {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || !('dropFrom' in value)) return undefined;
  const { dropFrom } = value;
  if (!Array.isArray(dropFrom) || dropFrom.length > GRUDGE_SOURCES_MAX) return undefined;
  return dropFrom.every(isIpv4) ? [...new Set<string>(dropFrom)] : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isIpv4(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{1,3}(\.\d{1,3}){3}$/.test(value)) return false;
  return value.split('.').every((part) => Number(part) <= 255);
}

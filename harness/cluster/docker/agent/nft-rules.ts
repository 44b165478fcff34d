/**
 * What the fault agent says to nft and reads back: text in, text out. One table of our own with one
 * set; whatever else filters here is never touched.
 */

import { type DropCounts, parseJson } from './rules.ts';

const TABLE = 'ip storm_grudge';
const SET_NAME = 'cut';
const SET = `${TABLE} ${SET_NAME}`;

/** Fine where all of it is there already. Every element of the set counts what it drops. */
export const OPEN_COMMANDS: readonly string[] = [
  `add table ${TABLE}`,
  `add set ${SET} { type ipv4_addr; counter; }`,
  // Before iptables: what is cut off is not counted as lost, and does not get resets.
  `add chain ${TABLE} input { type filter hook input priority -10; policy accept; }`,
  `flush chain ${TABLE} input`,
  `add rule ${TABLE} input ip saddr @${SET_NAME} drop`,
];

/** Answered with one line, as nft does in JSON mode to whatever lists. */
export const LIST_COMMAND: string = `list set ${SET}`;

/** Replaces all cuts in one transaction; nobody heals. */
export function replaceCommand(dropFrom: readonly string[]): string {
  const flush = `flush set ${SET}`;
  return dropFrom.length === 0 ? flush : `${flush}; add element ${SET} { ${dropFrom.join(', ')} }`;
}

/** The dropped packets by source; a source that is in the set and was silent has 0. */
export function parseSet(line: string): DropCounts | undefined {
  const parsed = parseJson(line) as
    | { readonly nftables?: readonly { readonly set?: ListedSet }[] }
    | undefined;
  const set = parsed?.nftables?.find((each) => each.set?.name === SET_NAME)?.set;
  if (set === undefined) return undefined;
  const counted = (set.elem ?? []).map(({ elem }) => [elem?.val, elem?.counter?.packets] as const);
  const isWhole = counted.every(
    ([source, packets]) => typeof source === 'string' && typeof packets === 'number',
  );
  return isWhole ? Object.fromEntries(counted) : undefined;
}

interface ListedSet {
  readonly name?: unknown;
  readonly elem?: readonly {
    readonly elem?: {
      readonly val?: unknown;
      readonly counter?: { readonly packets?: unknown };
    };
  }[];
}

/** One member as its attackers see it. */
import type { Chance } from './chance.ts';
import type { OpenSockets } from './raw.ts';
import type { Tally } from './tally.ts';

export interface Target {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly id: bigint;
  readonly clusterId: bigint;
  /** All members of the cluster. */
  readonly members: ReadonlySet<bigint>;
  /** Was one once. */
  readonly removedId: bigint;
}

export interface Tools {
  readonly chance: Chance;
  readonly tally: Tally;
  readonly sockets: OpenSockets;
}

/** Throws one thing, or a handful, at one member; never rejects because of what comes back. */
export type Attack = (target: Target, tools: Tools) => Promise<void>;

/** What the harness and its links process say to each other, over the IPC channel of a fork. */

import type { LinkCounter } from '../../cluster.ts';

/** One direction of one pair of members. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

export interface LinkedMember {
  readonly name: string;
  /** Member id as peers send it, hex without leading zeros. */
  readonly id: string;
  /** The port that the other members are told to dial. */
  readonly proxyPort: number;
  /** The port on which the member itself listens for its peers. */
  readonly peerPort: number;
}

export type PeerProtocol = 'etcd' | 'stormraft';

export type LinksCommand =
  | {
      readonly type: 'open';
      readonly protocol: PeerProtocol;
      readonly members: readonly LinkedMember[];
    }
  /** Replaces all cuts. */
  | { readonly type: 'cut'; readonly sequence: number; readonly cuts: readonly Link[] }
  | { readonly type: 'count'; readonly sequence: number };

export type LinksAnswer =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly reason: string }
  | {
      readonly type: 'done';
      readonly sequence: number;
      readonly counters: readonly LinkCounter[];
    };

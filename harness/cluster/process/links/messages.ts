/** What the harness and its links process say to each other, over the IPC channel of a fork. */

import type { DirectedLink, DirectedQuality } from '../../../network/link-quality.ts';
import type { LinkTally } from '../../../network/link-tally.ts';
import type { LinkCounter } from '../../cluster.ts';

export interface LinkedMember {
  readonly name: string;
  /** Member id as peers send it, hex without leading zeros. */
  readonly id: string;
  /** The port that the other members are told to dial. */
  readonly proxyPort: number;
  /** The port on which the member itself listens for its peers. */
  readonly peerPort: number;
}

/** `tls`: whatever it is, nothing of it can be read. */
export type PeerProtocol = 'etcd' | 'stormraft' | 'tls';

export type LinksCommand =
  | {
      readonly type: 'open';
      readonly protocol: PeerProtocol;
      readonly members: readonly LinkedMember[];
    }
  /** Replaces all cuts. */
  | { readonly type: 'cut'; readonly sequence: number; readonly cuts: readonly DirectedLink[] }
  /** Replaces the quality of all links; those not listed are good. */
  | {
      readonly type: 'shape';
      readonly sequence: number;
      readonly links: readonly DirectedQuality[];
    }
  /** Replaces the members whose cables are pulled. */
  | { readonly type: 'pull'; readonly sequence: number; readonly members: readonly string[] }
  /** The member dials with one more id. */
  | {
      readonly type: 'know';
      readonly sequence: number;
      readonly id: string;
      readonly member: string;
    }
  /** Once, now. */
  | { readonly type: 'reset'; readonly sequence: number; readonly links: readonly DirectedLink[] }
  | { readonly type: 'count'; readonly sequence: number };

/** What there is to read off the links. */
export interface LinkReadings {
  readonly counters: readonly LinkCounter[];
  readonly tally: LinkTally;
}

export type LinksAnswer =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'done'; readonly sequence: number; readonly readings: LinkReadings };

import { assertNever } from '../lib/assert.ts';
import type { Entry, HardState, SnapshotMeta } from '../raft/message.ts';
import { entrySizeBytes } from '../wire/raft-records.ts';
import { FRAME_OVERHEAD_BYTES_MAX } from './frame.ts';

/** What waits to be written to the log, and how much of it one write takes. */
export interface Operation {
  readonly request: Request;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export type Request =
  | ({ readonly type: 'append' } & WalBatch)
  | { readonly type: 'snapshot'; readonly meta: SnapshotMeta };

export interface WalBatch {
  /** Contiguous; they replace whatever the log holds at and behind the first one's index. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
}

/** How many operations from the front go into one write: at least one. */
export function groupLength(queue: readonly Operation[]): number {
  let sizeBytes = 0;
  for (const [count, { request }] of queue.entries()) {
    sizeBytes += requestSizeBytes(request);
    if (sizeBytes > GROUP_BYTES_MAX && count > 0) return count;
  }
  return queue.length;
}

/** Bytes that the request adds to the log, at most. */
export function requestSizeBytes(request: Request): number {
  switch (request.type) {
    case 'append': {
      let sizeBytes = FRAME_OVERHEAD_BYTES_MAX + HARD_STATE_BYTES_MAX;
      for (const entry of request.entries) {
        sizeBytes += FRAME_OVERHEAD_BYTES_MAX + entrySizeBytes(entry);
      }
      return sizeBytes;
    }
    case 'snapshot': {
      const { voters, learners, votersOutgoing, learnersNext } = request.meta.confState;
      const ids = voters.length + learners.length + votersOutgoing.length + learnersNext.length;
      const idBytes = NUMBER_BYTES_MAX * ids;
      return FRAME_OVERHEAD_BYTES_MAX + SNAPSHOT_FIELDS_BYTES_MAX + idBytes;
    }
    default:
      return assertNever(request);
  }
}

/** A write takes no more of the queue than this, but always one operation. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
/** Tag and varint of a 64-bit number. */
const NUMBER_BYTES_MAX = 11;
const HARD_STATE_BYTES_MAX = 3 * NUMBER_BYTES_MAX;
/** Index, term, the conf state's tag and length, and its last field. */
const SNAPSHOT_FIELDS_BYTES_MAX = 4 * NUMBER_BYTES_MAX;

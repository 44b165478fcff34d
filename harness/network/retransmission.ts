/**
 * Loss on a byte stream. A proxy cannot drop a segment of TCP: what it reads has arrived. So a
 * lost segment is modelled by what the receiver would see of it: it is late by the time that TCP
 * takes to notice and to send it again, and all that is behind it on the connection waits.
 *
 * With three segments or more behind it, duplicate acknowledgements tell the sender after a round
 * trip (RFC 5681, fast retransmit). Otherwise the retransmission timer does: 200 ms, Linux's least,
 * after a round trip, doubled each time (RFC 6298). A round trip is twice the link's delay.
 */
import type { Random } from '../../src/ports/random.ts';
import type { LinkQuality } from './link-quality.ts';

/** TCP payload in an Ethernet frame, with time stamps. */
export const SEGMENT_BYTES = 1_448;

const BEHIND_FOR_FAST_RETRANSMIT = 3;
const TIMER_MS_LEAST = 200;
const ROUND_TRIP_MS_LEAST = 1;
/** Then it arrives at last: the sixth time-out is that of 6.4 s, longer than faults last. */
const TIMEOUTS_MAX = 6;
const MILLION = 1_000_000;

export interface Recovery {
  /** How often the segment was sent, and of these how often lost. */
  readonly sent: number;
  readonly lost: number;
  readonly lateMs: number;
}

/** The fate of a segment with so many segments behind it. */
export function drawRecovery(random: Random, quality: LinkQuality, behind: number): Recovery {
  const isLost = (): boolean => random.below(MILLION) * 100 < quality.lossPercent * MILLION;
  if (!isLost()) return { sent: 1, lost: 0, lateMs: 0 };
  const roundTripMs = Math.max(ROUND_TRIP_MS_LEAST, 2 * quality.delayMs);
  const timerMs = TIMER_MS_LEAST + roundTripMs;
  let lost = 1;
  let timeouts = 0;
  let lateMs = roundTripMs;
  if (behind < BEHIND_FOR_FAST_RETRANSMIT) {
    lateMs = timerMs;
    timeouts = 1;
  }
  while (timeouts < TIMEOUTS_MAX && isLost()) {
    lost += 1;
    lateMs += timerMs * 2 ** timeouts;
    timeouts += 1;
  }
  return { sent: lost + 1, lost, lateMs };
}

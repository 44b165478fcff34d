/** Large watch responses in pieces, for clients that cannot take them whole. */
import type { WatchEvent, WatchResult } from '../mvcc/watch-request.ts';
import {
  emptyResponseSizeBytes,
  eventSizeBytes,
  eventSizeHintBytes,
} from '../wire/watch-messages.ts';
import type { Answer } from './response.ts';

/** What the mark "more follows" takes. */
const FRAGMENT_FIELD_BYTES = 2;

/**
 * The response, or pieces of it that each stay below `sizeBytesMax` on the wire unless a single
 * event does not. All but the last say `fragment`. The boundaries are etcd's.
 */
export function fragmentsOf(
  response: Answer<WatchResult>,
  sizeBytesMax: number,
): readonly Answer<WatchResult>[] {
  const { header, result } = response;
  const { events } = result;
  const baseBytes = emptyResponseSizeBytes(response);
  if (events.length < 2 || baseBytes + hintBytes(events) < sizeBytesMax) return [response];
  const sizesBytes = events.map(eventSizeBytes);
  if (baseBytes + sizesBytes.reduce((sum, size) => sum + size, 0) < sizeBytesMax) return [response];
  const pieces: Answer<WatchResult>[] = [];
  for (let start = 0; start < events.length; ) {
    let end = start + 1;
    let pieceBytes = baseBytes + FRAGMENT_FIELD_BYTES + sizesBytes[start]!;
    while (end < events.length && pieceBytes + sizesBytes[end]! < sizeBytesMax) {
      pieceBytes += sizesBytes[end]!;
      end++;
    }
    const fragment = end < events.length;
    pieces.push({ header, result: { ...result, fragment, events: events.slice(start, end) } });
    start = end;
  }
  return pieces;
}

function hintBytes(events: readonly WatchEvent[]): number {
  let sizeBytes = 0;
  for (const event of events) sizeBytes += eventSizeHintBytes(event);
  return sizeBytes;
}

/**
 * Which messages are under way at a moment. They are known by arrival, so those under way at T
 * are the ones that arrive after T and were sent by then. How long a message may travel is not
 * bounded; blocks of messages that know their earliest departure let the search skip the rest
 * of the trace.
 */
import type { MessageTrace } from '../../sim/trace.ts';
import { TimedList } from './timed-list.ts';

const BLOCK = 256;

export class MessageIndex {
  readonly #byArrival = new TimedList<MessageTrace>();
  readonly #unlucky = new TimedList<MessageTrace>();
  /** Of each block of arrivals, the earliest time of sending. */
  readonly #blockSentNs: number[] = [];

  /** Not earlier (`atNs`) than any message before. */
  push(message: MessageTrace): void {
    const block = Math.floor(this.#byArrival.items.length / BLOCK);
    this.#byArrival.push(message.atNs, message);
    if (message.fate !== 'delivered') this.#unlucky.push(message.atNs, message);
    const earliest = this.#blockSentNs[block] ?? Number.POSITIVE_INFINITY;
    this.#blockSentNs[block] = Math.min(earliest, message.sentNs);
  }

  /** Sent at `atNs` or before, and not arrived by then; in order of arrival. */
  underWayAt(atNs: number): MessageTrace[] {
    const { items } = this.#byArrival;
    const found: MessageTrace[] = [];
    let at = this.#byArrival.countUpTo(atNs);
    while (at < items.length) {
      const block = Math.floor(at / BLOCK);
      const end = Math.min(items.length, (block + 1) * BLOCK);
      if (this.#blockSentNs[block]! <= atNs) {
        for (; at < end; at++) if (items[at]!.sentNs <= atNs) found.push(items[at]!);
      }
      at = end;
    }
    return found;
  }

  /** Those that came to nothing after `fromNs` and up to `toNs`. */
  endedBetween(fromNs: number, toNs: number): readonly MessageTrace[] {
    return this.#unlucky.between(fromNs, toNs);
  }

  timeAfter(atNs: number): number | undefined {
    return this.#byArrival.timeAfter(atNs);
  }

  timeBefore(atNs: number): number | undefined {
    return this.#byArrival.timeBefore(atNs);
  }
}

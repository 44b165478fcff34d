/**
 * A trace's events as they stand in the page: JSON lines, compressed, as base64. A trace of some
 * minutes is a hundred megabytes of JSON, and a few like this.
 */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { TraceEvent } from '../sim/trace.ts';

export async function packEvents(events: readonly TraceEvent[]): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(lines(events)).pipe(createGzip())) chunks.push(chunk);
  return Buffer.concat(chunks).toString('base64');
}

/** Some hundred events at a time: a chunk for each would take longer than compressing it. */
function* lines(events: readonly TraceEvent[]): Generator<string> {
  for (let at = 0; at < events.length; at += 500) {
    const some = events.slice(at, at + 500);
    yield some.map((event) => `${JSON.stringify(event)}\n`).join('');
  }
}

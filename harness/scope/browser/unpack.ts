/** Reads the events that pack.ts wrote into the page. */
import type { TraceEvent } from '../../sim/trace.ts';

/** Calls `take` for each, in order. */
export async function unpackEvents(
  packed: string,
  take: (event: TraceEvent) => void,
): Promise<void> {
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const reader = unzipped.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(JSON.parse(line) as TraceEvent);
  }
}

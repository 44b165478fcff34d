import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { packEvents } from '../../harness/scope/pack.ts';
import { renderLiveScope, renderScope } from '../../harness/scope/render.ts';
import { sampleTrace } from './traces.ts';

function eventsIn(page: string): unknown[] {
  const [, packed] = /id="scope-events">([^<]*)</.exec(page)!;
  const lines = gunzipSync(Buffer.from(packed!, 'base64')).toString('utf8').trimEnd().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

describe('the pages', () => {
  test('hold every event of the trace, in order of time', async () => {
    const trace = sampleTrace(4);
    const shuffled = {
      ...trace,
      events: [...trace.events.slice(100), ...trace.events.slice(0, 100)],
    };
    const found = eventsIn(await renderScope(shuffled));
    expect(found).toHaveLength(trace.events.length);
    const times = found.map((event) => (event as { atNs: number }).atNs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(eventsIn(await renderScope(trace))).toEqual(JSON.parse(JSON.stringify(trace.events)));
  });

  test('are the same text each time, and ask for nothing outside', async () => {
    const trace = sampleTrace(3);
    for (const render of [() => renderScope(trace), renderLiveScope]) {
      const page = await render();
      expect((await render()) === page).toBe(true);
      expect(page.includes('default-src &#39;none&#39;')).toBe(true);
      expect(page.match(/<(script|link|img)[^>]*(src|href)="(?!data:)/)).toBeNull();
      expect(page.match(/<\/script>/g)?.length).toBe(page.match(/<script[ >]/g)?.length);
    }
  });

  test('a title is text, not markup', async () => {
    const page = await renderScope({ ...sampleTrace(2), title: '</script><b>&' });
    expect(page.includes('<h1>&lt;/script&gt;&lt;b&gt;&amp;</h1>')).toBe(true);
  });

  test('many events are packed small', async () => {
    const { events } = sampleTrace(20);
    const packed = await packEvents(events);
    expect(packed.length).toBeLessThan(JSON.stringify(events).length / 5);
  });
});

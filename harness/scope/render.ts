/** `storm scope`: one HTML file that needs nothing else, neither a network nor a server. */
import { bundleProgram } from './bundle.ts';
import { packEvents } from './pack.ts';
import { livePage, playerPage } from './page.ts';
import type { ScopeTrace } from './scope-trace.ts';

/** Plays a recorded simulation. The same trace gives the same text. */
export async function renderScope(trace: ScopeTrace): Promise<string> {
  const { events, ...head } = trace;
  const ordered = events.toSorted((a, b) => a.atNs - b.atNs);
  const [script, packed] = await Promise.all([bundleProgram('player-main'), packEvents(ordered)]);
  return playerPage(head, packed, script);
}

/** Runs the product's raft core in the page, with buttons to disturb it and exercises. */
export async function renderLiveScope(): Promise<string> {
  return livePage(await bundleProgram('live-main'));
}

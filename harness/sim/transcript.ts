/** A simulation as a text to be read: one line for each event. */
import type { TraceEvent } from './trace.ts';

/** `   12.345678 n1→n2 MsgApp …`: virtual seconds, then what happened. */
export function transcriptLine(event: TraceEvent): string {
  // What clients write is in it, as it is.
  const text = words(event).replace(/\p{Cc}/gu, '·');
  return `${(event.atNs / 1e9).toFixed(6).padStart(13)} ${text}`;
}

function words(event: TraceEvent): string {
  switch (event.type) {
    case 'member': {
      const { node, state, role, term, vote, leader, commit, applied, stable, lastIndex } = event;
      const who = `vote:${vote ?? 'none'} leader:${leader ?? 'none'}`;
      const log = `commit:${commit} applied:${applied} stable:${stable} last:${lastIndex}`;
      return `${node} ${state} ${role} term:${term} ${who} ${log}`;
    }
    case 'message': {
      const tookMs = ((event.atNs - event.sentNs) / 1e6).toFixed(3);
      return `${event.from}→${event.to} ${event.fate} after ${tookMs} ms: ${event.text}`;
    }
    case 'fact':
      return `${event.node} ${event.text}`;
    case 'disk':
      return `${event.node} disk: ${event.text}`;
    case 'fault':
      return `nemesis ${event.kind} ${event.step}: ${event.description}`;
    case 'op':
      return `client ${event.process} at ${event.node} ${event.step} ${event.text}`;
    case 'failure':
      return `FAILURE ${event.text}`;
    default:
      return event satisfies never;
  }
}

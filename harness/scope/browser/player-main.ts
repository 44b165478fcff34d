/** The player: a recorded trace. */
import type { MessageTrace } from '../../sim/trace.ts';
import type { ScopeHead } from '../scope-trace.ts';
import { TraceIndex } from '../timeline/trace-index.ts';
import { byId, setText } from './dom.ts';
import { Scope } from './scope.ts';
import type { ScopeSource } from './source.ts';
import { unpackEvents } from './unpack.ts';

class Recording implements ScopeSource {
  readonly memberNames: readonly string[];
  readonly index: TraceIndex;
  readonly knownNs: number;

  constructor(head: ScopeHead, index: TraceIndex, lastNs: number) {
    this.memberNames = head.memberNames;
    this.knownNs = Math.max(head.durationNs, lastNs);
    this.index = index;
  }

  get spanNs(): number {
    return this.knownNs;
  }

  /** What was not recorded cannot be shown. */
  extendTo(): void {}

  underWayAt(atNs: number): readonly MessageTrace[] {
    return this.index.messages.underWayAt(atNs);
  }
}

/** What one came for: it stands at the top, and the page opens at its moment. */
function showFailure(scope: Scope, index: TraceIndex): void {
  const [failure] = index.momentsOf('failure');
  if (failure?.type !== 'failure') return;
  const { atNs, text } = failure;
  setText(byId('failure-text', HTMLSpanElement), text);
  byId('failure', HTMLDivElement).hidden = false;
  byId('failure-go', HTMLButtonElement).onclick = () => scope.seek(atNs);
  if (location.hash === '') scope.seek(atNs);
}

async function start(): Promise<void> {
  setText(byId('clock', HTMLOutputElement), 'Reading the trace…');
  const head = JSON.parse(byId('scope-head', HTMLScriptElement).text) as ScopeHead;
  const packed = byId('scope-events', HTMLScriptElement);
  const index = new TraceIndex(head.memberNames);
  let lastNs = 0;
  await unpackEvents(packed.text, (event) => {
    index.push(event);
    lastNs = event.atNs;
  });
  packed.remove();
  const scope = new Scope(new Recording(head, index, lastNs), { live: false });
  scope.seekFromHash();
  showFailure(scope, index);
}

start().catch((error: unknown) => {
  setText(byId('clock', HTMLOutputElement), `The trace cannot be shown: ${String(error)}`);
});

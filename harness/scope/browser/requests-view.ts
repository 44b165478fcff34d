/** What was asked of the live cluster, and what became of it; the newest first. */
import { assertNever } from '../../../src/lib/assert.ts';
import type { LiveRequest, RequestOutcome } from '../live/requests.ts';
import { element } from './dom.ts';

const SHOWN_MAX = 12;

export class RequestsView {
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;
  #drawn = '';

  constructor(list: HTMLElement, empty: HTMLElement) {
    this.#list = list;
    this.#empty = empty;
  }

  draw(requests: readonly LiveRequest[]): void {
    const shown = requests.slice(-SHOWN_MAX).toReversed();
    const drawn = JSON.stringify(shown);
    this.#empty.hidden = shown.length > 0;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#list.replaceChildren(...shown.map(item));
  }
}

function item({ command, via, outcome }: LiveRequest): HTMLElement {
  const words = `${via}: ${outcomeWords(outcome)}`;
  const looks = outcome?.type ?? 'waiting';
  return element('li', { class: looks }, element('strong', {}, command), ` ${words}`);
}

function outcomeWords(outcome: RequestOutcome | undefined): string {
  if (outcome === undefined) return 'waiting';
  switch (outcome.type) {
    case 'appended':
      return 'in the leader’s log…';
    case 'forwarded':
      return 'forwarded to the leader…';
    case 'applied':
      return `applied at ${outcome.index}`;
    case 'dropped':
      return `dropped (${outcome.reason})`;
    case 'unknown':
      return `outcome unknown (${outcome.reason})`;
    default:
      return assertNever(outcome);
  }
}

/** What has just happened, in words; the newest first. A click goes there. */
import type { Moment, MomentType } from '../timeline/trace-index.ts';
import { element } from './dom.ts';
import type { Frame, View } from './source.ts';
import { shortInstant } from './time-words.ts';

const SHOWN_MAX = 40;

/** Those listed at first; a member's disk has much to say. */
const TYPES: Readonly<Record<MomentType, { readonly words: string; readonly listed: boolean }>> = {
  fact: { words: 'facts', listed: true },
  op: { words: 'operations', listed: true },
  fault: { words: 'faults', listed: true },
  disk: { words: 'disks', listed: false },
  failure: { words: 'failure', listed: true },
};

export class EventsView implements View {
  readonly #list: HTMLElement;
  readonly #goTo: (atNs: number) => void;
  #types: readonly MomentType[];
  #shown: readonly Moment[] | undefined;

  constructor(
    { list, filter }: { readonly list: HTMLElement; readonly filter: HTMLElement },
    offered: readonly MomentType[],
    goTo: (atNs: number) => void,
  ) {
    this.#list = list;
    this.#goTo = goTo;
    this.#types = [];
    const boxes = offered.map((type) => {
      const { words, listed } = TYPES[type];
      const box = element('input', { type: 'checkbox', value: type });
      box.checked = listed;
      return { box, type, label: element('label', {}, box, ` ${words}`) };
    });
    const read = () => {
      this.#types = boxes.filter(({ box }) => box.checked).map(({ type }) => type);
    };
    read();
    filter.replaceChildren(...boxes.map(({ label }) => label));
    filter.onchange = read;
  }

  draw({ source, atNs }: Frame): void {
    const moments = source.index.momentsUpTo(atNs, this.#types, SHOWN_MAX);
    const { length } = moments;
    const same = this.#shown?.length === length && this.#shown.at(-1) === moments.at(-1);
    if (same && this.#shown?.[0] === moments[0]) return;
    this.#shown = moments;
    this.#list.replaceChildren(...moments.toReversed().map((moment) => this.#item(moment)));
  }

  #item(moment: Moment): HTMLElement {
    const time = element('button', { type: 'button', class: 'time' }, shortInstant(moment.atNs));
    time.addEventListener('click', () => this.#goTo(moment.atNs));
    const { who, what, looks } = wordsOf(moment);
    const node = element('span', { class: 'who' }, who);
    return element(
      'li',
      { class: looks },
      time,
      node,
      element('span', { class: 'what', title: what }, what),
    );
  }
}

function wordsOf(moment: Moment): { who: string; what: string; looks: string } {
  if (moment.type === 'fault') {
    const { nodes, kind, step, description } = moment;
    const [first, ...others] = nodes;
    const who = others.length === 0 ? (first ?? 'all') : `${nodes.length} nodes`;
    const words = step === 'phase' ? kind : `${kind} ${step}`;
    return { who, what: `${words}: ${description}`, looks: 'fault' };
  }
  if (moment.type === 'op') {
    const { node, step, text } = moment;
    return { who: node, what: `${step} ${text}`, looks: `op ${step}` };
  }
  const who = moment.type === 'failure' ? 'failure' : moment.node;
  return { who, what: moment.text, looks: moment.type };
}

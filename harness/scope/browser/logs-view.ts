/** The ends of all members' logs, one below the other, index under index. */
import type { MemberTrace } from '../../sim/trace.ts';
import { LOG_TAIL_MAX } from '../../sim/trace.ts';
import { element, setAttributes, setText } from './dom.ts';
import type { Frame, View } from './source.ts';

/** Terms have this many colours; further ones begin again. */
const TERM_COLOURS = 8;
const CELL_PX = 30;
/** For the first and the last column. */
const NAMES_PX = 120;
/** From here on, indexes are wider than cells, and only every second one is written. */
const CROWDED_FROM = 1_000;

interface Row {
  readonly cells: readonly HTMLTableCellElement[];
  readonly end: HTMLTableCellElement;
  readonly row: HTMLTableRowElement;
}

export class LogsView implements View {
  readonly #root = element('div');
  readonly #memberNames: readonly string[];
  #heads: readonly HTMLElement[] = [];
  #rows: ReadonlyMap<string, Row> = new Map();

  constructor(place: HTMLElement, memberNames: readonly string[]) {
    this.#memberNames = memberNames;
    place.replaceChildren(this.#root);
    this.#build(this.#columns());
    new ResizeObserver(() => {
      const columns = this.#columns();
      if (columns !== this.#heads.length) this.#build(columns);
    }).observe(this.#root);
  }

  draw({ source, atNs }: Frame): void {
    const members = this.#memberNames.map((name) => source.index.memberAt(name, atNs)?.member);
    const last = Math.max(0, ...members.map((member) => member?.lastIndex ?? 0));
    const first = Math.max(1, last - this.#heads.length + 1);
    const crowded = last >= CROWDED_FROM;
    for (const [at, head] of this.#heads.entries()) {
      const index = first + at;
      setText(head, crowded && index % 2 === 1 ? '' : String(index));
    }
    for (const [at, name] of this.#memberNames.entries()) {
      drawRow(this.#rows.get(name)!, members[at], first);
    }
  }

  #columns(): number {
    const fitting = Math.floor((this.#root.clientWidth - NAMES_PX) / CELL_PX);
    return Math.min(LOG_TAIL_MAX, Math.max(6, fitting));
  }

  #build(columns: number): void {
    this.#heads = Array.from({ length: columns }, () => element('span'));
    const heads = this.#heads.map((head) => element('th', { class: 'index' }, head));
    const rows = this.#memberNames.map((name) => {
      const cells = Array.from({ length: columns }, () => element('td'));
      const end = element('td', { class: 'end' });
      const row = element('tr', {}, element('th', { scope: 'row' }, name), ...cells, end);
      return [name, { cells, end, row }] as const;
    });
    this.#rows = new Map(rows);
    const corner = element('th', { class: 'quiet', scope: 'col' }, 'index');
    const end = element('th', { class: 'end', scope: 'col' }, 'commit');
    const head = element('thead', {}, element('tr', {}, corner, ...heads, end));
    const body = element('tbody', {}, ...rows.map(([, { row }]) => row));
    this.#root.replaceChildren(element('table', {}, head, body), legend());
  }
}

function drawRow({ cells, end, row }: Row, member: MemberTrace | undefined, first: number): void {
  setAttributes(row, { class: member?.state ?? 'unknown' });
  setText(end, member === undefined ? '' : String(member.commit));
  for (const [at, cell] of cells.entries()) {
    const { text, classes, title } = cellOf(member, first + at);
    setText(cell, text);
    setAttributes(cell, { class: classes, title });
  }
}

function cellOf(
  member: MemberTrace | undefined,
  index: number,
): { readonly text: string; readonly classes: string; readonly title: string } {
  if (member === undefined || index > member.lastIndex) return { text: '', classes: '', title: '' };
  if (index < member.firstIndex) {
    return { text: '·', classes: 'entry compacted', title: `${index}: in the snapshot` };
  }
  const term = member.tailTerms.at(index - member.lastIndex - 1);
  if (term === undefined) return { text: '…', classes: 'entry', title: `${index}: not traced` };
  const committed = index <= member.commit;
  const applied = index <= member.applied;
  const stable = index <= member.stable;
  const marks = [
    committed ? 'committed' : 'open',
    ...(applied ? ['applied'] : []),
    ...(stable ? [] : ['unstable']),
  ];
  const words = [
    `${index}: term ${term}`,
    committed ? 'committed' : 'not committed',
    ...(applied ? ['applied'] : []),
    ...(stable ? [] : ['not on disk yet']),
  ];
  return {
    text: String(term),
    classes: `entry term-${term % TERM_COLOURS} ${marks.join(' ')}`,
    title: words.join(', '),
  };
}

function legend(): HTMLElement {
  const sample = (classes: string, words: string) =>
    element('li', {}, element('span', { class: `entry term-1 ${classes}` }, '1'), words);
  return element(
    'ul',
    { class: 'legend', 'aria-label': 'Looks of log entries' },
    element('li', {}, 'Number: term.'),
    sample('committed applied', 'applied'),
    sample('committed', 'committed'),
    sample('open', 'not committed'),
    sample('open unstable', 'not on disk'),
  );
}

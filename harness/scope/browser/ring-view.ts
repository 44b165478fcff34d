/** The members on their ring, the links that are cut, and the messages between them. */
import type { MessageTrace } from '../../sim/trace.ts';
import { linksCutBy } from '../timeline/fault-windows.ts';
import { element, setAttributes, setText, svg } from './dom.ts';
import { FAMILIES, messageLook } from './message-looks.ts';
import { NodeFigure } from './node-figure.ts';
import { between, HEIGHT, type Point, placeOf, WIDTH, wayOf } from './ring-layout.ts';
import type { Frame, View } from './source.ts';

/** How long the cross of a lost message stays, in real time. */
const CROSS_LINGERS_NS = 0.6e9;

const CROSS = 'M-5 -5L5 5M-5 5L5 -5';

/** How far a message gets that does not arrive; one for a dead member reaches its door. */
const REACHES: Readonly<Record<MessageTrace['fate'], number>> = {
  delivered: 1,
  dead: 1,
  lost: 0.6,
  cut: 0.5,
};

export class RingView implements View {
  readonly #places: ReadonlyMap<string, Point>;
  readonly #figures: ReadonlyMap<string, NodeFigure>;
  readonly #cuts = svg('g', { class: 'cuts' });
  readonly #dots: Pool;
  readonly #crosses: Pool;
  /** The drawn cuts, as text: they are drawn anew only when they change. */
  #cutsDrawn = '';

  constructor(place: HTMLElement, memberNames: readonly string[]) {
    this.#places = new Map(memberNames.map((name, at) => [name, placeOf(at, memberNames.length)]));
    this.#figures = new Map(
      [...this.#places].map(([name, point]) => [name, new NodeFigure(name, point)]),
    );
    const messages = svg('g', { class: 'messages' });
    const crosses = svg('g', { class: 'crosses' });
    this.#dots = new Pool(messages, () => svg('circle', {}, svg('title')));
    this.#crosses = new Pool(crosses, () => svg('path', { d: CROSS }, svg('title')));
    const drawing = svg('svg', {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'group',
      'aria-label': 'Members on a ring',
    });
    const figures = [...this.#figures.values()].map(({ group }) => group);
    drawing.append(this.#links(), this.#cuts, messages, crosses, ...figures);
    place.replaceChildren(drawing);
  }

  draw(frame: Frame): void {
    const { source, atNs } = frame;
    const faults = source.index.faults.activeAt(atNs);
    for (const [name, figure] of this.#figures) {
      const mine = faults.filter(({ nodes }) => nodes.includes(name));
      figure.draw(source.index.memberAt(name, atNs), mine);
    }
    this.#drawCuts(frame);
    this.#drawMessages(frame);
  }

  #links(): SVGGElement {
    const points = [...this.#places.values()];
    const group = svg('g', { class: 'links' });
    for (const [at, { x: x1, y: y1 }] of points.entries()) {
      for (const { x: x2, y: y2 } of points.slice(at + 1)) {
        group.append(svg('line', { x1, y1, x2, y2 }));
      }
    }
    return group;
  }

  #drawCuts({ source, atNs }: Frame): void {
    const cuts = source.index.faults
      .activeAt(atNs)
      .flatMap((fault) => linksCutBy(fault, source.memberNames));
    const drawn = cuts.map(({ from, to }) => `${from}>${to}`).join(' ');
    if (drawn === this.#cutsDrawn) return;
    this.#cutsDrawn = drawn;
    this.#cuts.replaceChildren();
    for (const { from, to } of cuts) {
      const way = this.#wayOf(from, to);
      if (way === undefined) continue;
      const { start, end } = way;
      const middle = between(start, end, REACHES.cut);
      this.#cuts.append(
        svg('line', { x1: start.x, y1: start.y, x2: end.x, y2: end.y }),
        svg('path', { d: CROSS, transform: translate(middle) }),
      );
    }
  }

  #drawMessages({ source, atNs, speed }: Frame): void {
    const moving = source.underWayAt(atNs);
    this.#dots.use(moving, (dot, message) => {
      const { sentNs, atNs: endNs, kind, fate } = message;
      const { family, answer } = messageLook(kind);
      const share = ((atNs - sentNs) / (endNs - sentNs)) * REACHES[fate];
      const at = this.#pointOf(message, share);
      setAttributes(dot, {
        class: `message ${family}${answer ? ' answer' : ''}`,
        r: answer ? 5 : 6,
        transform: translate(at),
      });
      setText(dot.firstElementChild!, `${message.from} to ${message.to}: ${message.text}`);
    });
    const lingersNs = CROSS_LINGERS_NS * speed;
    const ended = source.index.messages.endedBetween(atNs - lingersNs - 1, atNs);
    this.#crosses.use(ended, (cross, message) => {
      const at = this.#pointOf(message, REACHES[message.fate]);
      const { family } = messageLook(message.kind);
      setAttributes(cross, { class: `cross ${family}`, transform: translate(at) });
      setText(cross.firstElementChild!, `${message.fate}: ${message.text}`);
    });
  }

  #pointOf({ from, to }: MessageTrace, share: number): Point {
    const way = this.#wayOf(from, to);
    return way === undefined ? { x: -20, y: -20 } : between(way.start, way.end, share);
  }

  /** Undefined for clients and other strangers, which have no place on the ring. */
  #wayOf(from: string, to: string): { readonly start: Point; readonly end: Point } | undefined {
    const start = this.#places.get(from);
    const end = this.#places.get(to);
    return start === undefined || end === undefined || start === end
      ? undefined
      : wayOf(start, end);
  }
}

/** Says what colours and fillings of messages mean. */
export function drawMessageLegend(list: HTMLElement): void {
  const swatch = (classes: string) =>
    svg(
      'svg',
      { width: 14, height: 14, viewBox: '-7 -7 14 14', 'aria-hidden': 'true' },
      svg('circle', { class: `message ${classes}`, r: 5 }),
    );
  const families = Object.entries(FAMILIES).map(([family, words]) =>
    element('li', {}, swatch(family), words),
  );
  const answer = element('li', {}, swatch('other answer'), 'ring: answer');
  const lost = element(
    'li',
    {},
    svg(
      'svg',
      { width: 14, height: 14, viewBox: '-7 -7 14 14', 'aria-hidden': 'true' },
      svg('path', { class: 'cross', d: CROSS }),
    ),
    'lost',
  );
  list.replaceChildren(...families, answer, lost);
}

/** Elements that are used again from frame to frame. */
class Pool {
  readonly #group: SVGGElement;
  readonly #make: () => SVGElement;
  readonly #made: SVGElement[] = [];

  constructor(group: SVGGElement, make: () => SVGElement) {
    this.#group = group;
    this.#make = make;
  }

  use<Item>(items: readonly Item[], draw: (target: SVGElement, item: Item) => void): void {
    while (this.#made.length < items.length) {
      const made = this.#make();
      this.#made.push(made);
      this.#group.append(made);
    }
    for (const [at, target] of this.#made.entries()) {
      const item = items[at];
      setAttributes(target, { visibility: item === undefined ? 'hidden' : 'visible' });
      if (item !== undefined) draw(target, item);
    }
  }
}

function translate({ x, y }: Point): string {
  return `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
}

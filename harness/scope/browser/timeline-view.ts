/**
 * The whole trace as a strip: who led, which faults were in place, where it failed, and where
 * one is. The slider lies below it, of the same width.
 */
import { setAttributes, svg } from './dom.ts';
import type { Frame, ScopeSource, View } from './source.ts';

export const STRIP_HEIGHT = 58;
const LEADERS_Y = 4;
const FAULTS_Y = 22;
const LANE = 14;
const FAULT_LANE = 12;
const FAULT_LANES = 3;
const TERM_COLOURS = 8;
/** Half the slider's thumb: the strip begins where its centre does. */
const INSET_PX = 8;
/** Widest that a letter of a label may be. */
const LETTER_PX = 7;
/** What is known must have grown by this share of the strip before it is drawn again. */
const REDRAW_SHARE = 1 / 400;

interface Bar {
  readonly looks: string;
  readonly fromNs: number;
  readonly toNs: number;
  readonly y: number;
  readonly height: number;
  /** Written into it where there is room. */
  readonly label: string;
  readonly title: string;
}

export class TimelineView implements View {
  readonly #strip = svg('g');
  readonly #cursor = svg('line', { class: 'cursor', y1: 0, y2: STRIP_HEIGHT });
  #drawnNs = -1;
  #drawnSpanNs = 0;
  #widthPx = 0;

  constructor(drawing: SVGSVGElement, goTo: (atNs: number) => void, source: ScopeSource) {
    drawing.replaceChildren(this.#strip, this.#cursor);
    setAttributes(drawing, { height: STRIP_HEIGHT });
    new ResizeObserver(() => {
      this.#widthPx = drawing.clientWidth;
      this.#drawnNs = -1;
    }).observe(drawing);
    drawing.onclick = (event) => {
      const { left, width } = drawing.getBoundingClientRect();
      const share = (event.clientX - left - INSET_PX) / (width - 2 * INSET_PX);
      goTo(Math.min(1, Math.max(0, share)) * source.spanNs);
    };
  }

  draw({ source, atNs }: Frame): void {
    const { knownNs, spanNs } = source;
    const moved = Math.abs(knownNs - this.#drawnNs) > spanNs * REDRAW_SHARE;
    if (moved || this.#drawnNs < 0 || spanNs !== this.#drawnSpanNs) {
      this.#drawnNs = knownNs;
      this.#drawnSpanNs = spanNs;
      this.#drawStrip(source);
    }
    const x = this.#xOf(atNs).toFixed(1);
    setAttributes(this.#cursor, { x1: x, x2: x });
  }

  #xOf(ns: number): number {
    const share = this.#drawnSpanNs === 0 ? 0 : ns / this.#drawnSpanNs;
    return INSET_PX + Math.min(1, share) * (this.#widthPx - 2 * INSET_PX);
  }

  #drawStrip(source: ScopeSource): void {
    const known = { looks: 'known', fromNs: 0, toNs: source.knownNs, y: LEADERS_Y, height: LANE };
    this.#strip.replaceChildren(
      this.#rect(known),
      ...this.#leaders(source),
      ...this.#faults(source),
      ...this.#failures(source),
    );
  }

  #leaders({ index, knownNs }: ScopeSource): readonly SVGElement[] {
    return index.leaderships.all.flatMap(({ node, term, fromNs, toNs }) =>
      this.#bar({
        looks: `term-${term % TERM_COLOURS}`,
        fromNs,
        toNs: Math.min(toNs, knownNs),
        y: LEADERS_Y,
        height: LANE,
        label: `${node} · ${term}`,
        title: `${node} leads term ${term}`,
      }),
    );
  }

  /** Those at the same time in different lanes; of more than there are lanes the last holds all. */
  #faults({ index, knownNs }: ScopeSource): readonly SVGElement[] {
    const freeAtNs = Array.from({ length: FAULT_LANES }, () => 0);
    return index.faults.all.flatMap(({ kind, description, fromNs, toNs }) => {
      const free = freeAtNs.findIndex((eachNs) => eachNs <= fromNs);
      const lane = free < 0 ? FAULT_LANES - 1 : free;
      freeAtNs[lane] = toNs;
      return this.#bar({
        looks: 'fault',
        fromNs,
        toNs: Math.min(toNs, knownNs),
        y: FAULTS_Y + lane * FAULT_LANE,
        height: FAULT_LANE - 2,
        label: kind,
        title: `${kind}: ${description}`,
      });
    });
  }

  #failures({ index }: ScopeSource): readonly SVGElement[] {
    return index.momentsOf('failure').flatMap(({ atNs }) => {
      const x = this.#xOf(atNs);
      return [
        svg('rect', { class: 'failure-line', x: x - 2, y: 0, width: 4, height: STRIP_HEIGHT }),
        svg('path', { class: 'failure-mark', d: `M${x - 7} 0h14l-7 10z` }),
      ];
    });
  }

  #bar(bar: Bar): readonly SVGElement[] {
    const { fromNs, toNs, y, height, label, title } = bar;
    const rect = this.#rect(bar);
    rect.append(svg('title', {}, title));
    const x = this.#xOf(fromNs);
    if (this.#xOf(toNs) - x < label.length * LETTER_PX + 8) return [rect];
    return [rect, svg('text', { class: 'lane-text', x: x + 5, y: y + height - 3 }, label)];
  }

  #rect({ looks, fromNs, toNs, y, height }: Omit<Bar, 'label' | 'title'>): SVGElement {
    const x = this.#xOf(fromNs);
    const width = Math.max(1.5, this.#xOf(toNs) - x);
    return svg('rect', { class: looks, x, y, width, height, rx: 2 });
  }
}

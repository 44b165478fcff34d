/**
 * The page's moving parts around one source: cursor, playing, stepping, keys. The cursor is a
 * moment of the trace; a source that can be extended is extended when the cursor runs into its
 * end.
 */
import type { StepKind } from '../timeline/trace-index.ts';
import { byId, setAttributes, setText } from './dom.ts';
import { EventsView } from './events-view.ts';
import { LogsView } from './logs-view.ts';
import { drawMessageLegend, RingView } from './ring-view.ts';
import type { ScopeSource, View } from './source.ts';
import { instantWords } from './time-words.ts';
import { TimelineView } from './timeline-view.ts';

/** A browser that slept must not make up for it at once. */
const FRAME_MAX_MS = 100;

/** The address follows the cursor when it has stood still for so long. */
const STILL_MS = 300;

/** Stepping beyond the end of what is known: how finely, and how far at most. */
const LOOK_AHEAD_NS = 1e6;
const LOOK_AHEAD_MAX = 5_000;

const LIVE_MOMENTS = ['fact', 'op', 'fault'] as const;
const RECORDED_MOMENTS = [...LIVE_MOMENTS, 'disk', 'failure'] as const;

export class Scope {
  readonly #play = byId('play', HTMLButtonElement);
  readonly #speed = byId('speed', HTMLSelectElement);
  readonly #stepKind = byId('step-kind', HTMLSelectElement);
  readonly #slider = byId('slider', HTMLInputElement);
  readonly #clock = byId('clock', HTMLOutputElement);
  readonly #toEnd = byId('to-end', HTMLButtonElement);
  #source: ScopeSource;
  #views: readonly View[] = [];
  #atNs = 0;
  #playing = false;
  #frameMs: number | undefined;
  /** Where the cursor stands, and for how long already. */
  #stillNs = -1;
  #stillMs = 0;
  /** Live: the end is now, and one may have left it. */
  readonly #live: boolean;
  /** Called with each frame, after it is drawn. */
  onFrame: (() => void) | undefined;

  constructor(source: ScopeSource, options: { readonly live: boolean }) {
    this.#source = source;
    this.#live = options.live;
    drawMessageLegend(byId('message-legend', HTMLUListElement));
    this.#wire();
    this.show(source);
    requestAnimationFrame((ms) => this.#frame(ms));
  }

  get atNs(): number {
    return this.#atNs;
  }

  /** The cursor is at the end of what is known. */
  get atEnd(): boolean {
    return this.#atNs >= this.#source.knownNs;
  }

  /** Another source, from its beginning. */
  show(source: ScopeSource): void {
    this.#source = source;
    const goTo = (atNs: number) => this.seek(atNs);
    this.#views = [
      new RingView(byId('ring', HTMLDivElement), source.memberNames),
      new LogsView(byId('logs', HTMLDivElement), source.memberNames),
      new EventsView(
        { list: byId('events', HTMLOListElement), filter: byId('event-filter', HTMLDivElement) },
        this.#live ? LIVE_MOMENTS : RECORDED_MOMENTS,
        goTo,
      ),
      new TimelineView(byId('timeline', SVGSVGElement), goTo, source),
    ];
    this.#atNs = 0;
  }

  /** Playing stops; one looks at `atNs`, or at the nearest moment that is known. */
  seek(atNs: number): void {
    this.setPlaying(false);
    this.#atNs = Math.min(Math.max(0, Math.round(atNs)), this.#source.knownNs);
  }

  #backToNow(): void {
    this.#atNs = this.#source.knownNs;
    this.setPlaying(true);
  }

  setPlaying(playing: boolean): void {
    this.#playing = playing;
    setText(this.#play, playing ? 'Pause' : 'Play');
  }

  /** Where the address says, if it says so: `#t=` and ns. */
  seekFromHash(): void {
    const found = /^#t=(\d+)$/.exec(location.hash);
    if (found !== null) this.seek(Number(found[1]));
  }

  step(kind: StepKind, direction: 1 | -1): void {
    const { index } = this.#source;
    const back = direction === -1;
    const found = back ? index.previousOf(kind, this.#atNs) : this.#next(kind);
    if (found !== undefined) return this.seek(found);
    const words = this.#stepKind.selectedOptions[0]?.textContent ?? kind;
    this.say(`no ${back ? 'earlier' : 'later'} ${words}`);
  }

  /** Of a source that can go on, the present: what has just happened is the last that did. */
  #next(kind: StepKind): number | undefined {
    const known = this.#source.index.nextOf(kind, this.#atNs);
    if (known !== undefined) return known;
    for (let steps = 0; steps < LOOK_AHEAD_MAX; steps++) {
      const beforeNs = this.#source.knownNs;
      this.#source.extendTo(beforeNs + LOOK_AHEAD_NS);
      if (this.#source.knownNs === beforeNs) return undefined;
      const found = this.#source.index.nextOf(kind, this.#atNs);
      if (found !== undefined) return this.#source.knownNs;
    }
    return undefined;
  }

  /** To be read out. */
  say(text: string): void {
    setText(byId('status', HTMLDivElement), text);
  }

  #frame(ms: number): void {
    const passedMs = Math.min(FRAME_MAX_MS, ms - (this.#frameMs ?? ms));
    this.#frameMs = ms;
    if (this.#playing) this.#advance(passedMs * 1e6 * this.#speedOf());
    const frame = { source: this.#source, atNs: this.#atNs, speed: this.#speedOf() };
    for (const view of this.#views) view.draw(frame);
    this.#drawControls();
    this.#keepAddress(passedMs);
    this.onFrame?.();
    requestAnimationFrame((next) => this.#frame(next));
  }

  #advance(byNs: number): void {
    const wantedNs = Math.round(this.#atNs + byNs);
    if (wantedNs > this.#source.knownNs) this.#source.extendTo(wantedNs);
    this.#atNs = Math.min(wantedNs, this.#source.knownNs);
    if (this.#atNs < wantedNs) this.setPlaying(false);
  }

  #speedOf(): number {
    return Number(this.#speed.value);
  }

  #drawControls(): void {
    const { spanNs } = this.#source;
    setAttributes(this.#slider, { max: spanNs, 'aria-valuetext': instantWords(this.#atNs) });
    if (this.#slider.valueAsNumber !== this.#atNs) this.#slider.valueAsNumber = this.#atNs;
    const end = this.#live ? '' : ` of ${instantWords(spanNs)}`;
    setText(this.#clock, `${instantWords(this.#atNs)}${end}`);
    this.#toEnd.hidden = !this.#live || this.atEnd;
  }

  /** Not at every move: browsers put up with few changes of address in a second. */
  #keepAddress(passedMs: number): void {
    this.#stillMs = this.#atNs === this.#stillNs ? this.#stillMs + passedMs : 0;
    this.#stillNs = this.#atNs;
    const address = `#t=${this.#atNs}`;
    if (this.#live || this.#stillMs < STILL_MS || location.hash === address) return;
    history.replaceState(null, '', address);
  }

  #wire(): void {
    this.#play.addEventListener('click', () => this.setPlaying(!this.#playing));
    this.#toEnd.addEventListener('click', () => this.#backToNow());
    this.#slider.addEventListener('input', () => this.seek(this.#slider.valueAsNumber));
    byId('step-back', HTMLButtonElement).onclick = () => this.step(this.#kind(), -1);
    byId('step-on', HTMLButtonElement).onclick = () => this.step(this.#kind(), 1);
    addEventListener('hashchange', () => this.seekFromHash());
    addEventListener('keydown', (event) => this.#key(event));
  }

  #kind(): StepKind {
    return this.#stepKind.value as StepKind;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || usesKeys(event.target, event.key)) return;
    const direction = event.key === 'ArrowLeft' ? -1 : 1;
    switch (event.key) {
      case ' ':
        this.setPlaying(!this.#playing);
        break;
      case 'ArrowLeft':
      case 'ArrowRight':
        if (event.shiftKey) this.seek(this.#atNs + direction * 1e6);
        else this.step(this.#kind(), direction);
        break;
      case 'Home':
        this.seek(0);
        break;
      case 'End':
        this.seek(this.#source.knownNs);
        break;
      case 'f':
        this.seek(this.#source.index.nextOf('failure', -1) ?? this.#atNs);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

/** Controls keep the keys that they understand; the slider's arrows are the page's. */
function usesKeys(target: EventTarget | null, key: string): boolean {
  if (target instanceof HTMLInputElement)
    return target.type !== 'range' && target.type !== 'checkbox';
  if (target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLButtonElement && key === ' ';
}

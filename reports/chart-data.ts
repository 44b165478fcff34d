/** What the page carries for its charts: written by the sections, read by browser/charts.ts. */

export interface ChartData {
  readonly endSeconds: number;
  readonly stormEndSeconds: number;
  readonly bands: readonly Band[];
  readonly charts: readonly Chart[];
}

/** A fault behind every chart. */
export interface Band {
  /** Number of the fault, as in the table of faults. */
  readonly number: number;
  /** Name of a colour in the style sheet. */
  readonly colour: string;
  /** In which row of bars above the chart: overlapping faults take different ones. */
  readonly row: number;
  /** Inject asked for, in place, heal asked for, healed: seconds since the run's base. */
  readonly seconds: readonly [number, number, number, number];
  readonly hadEffect: boolean;
}

export interface Chart {
  /** Of the element it is drawn into. */
  readonly id: string;
  readonly scale: 'linear' | 'log';
  readonly unit: 'ms' | '/s';
  /** Least and most up the side; left out: what the values need. */
  readonly extent?: readonly [number, number];
  /** Faults and the end of the storm, where they are not the page's. */
  readonly bands?: readonly Band[];
  readonly stormEndSeconds?: number;
  /** Seconds since the run's base, growing; shared by all series. */
  readonly seconds: readonly number[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly label: string;
  /** Name of a colour in the style sheet. */
  readonly colour: string;
  readonly look:
    | { readonly type: 'points'; readonly shape: 'circle' | 'triangle' | 'square' }
    | {
        readonly type: 'line' | 'steps';
        readonly widthPx: number;
        readonly dash: readonly number[];
      };
  readonly values: readonly (number | null)[];
}

/** Rounds to what a screen can show, so that the page stays small. */
export function short(value: number): number {
  return Number(value.toPrecision(4));
}

/** Nanoseconds as seconds to 0.1 ms. */
export function secondsOf(ns: number): number {
  return Math.round(ns / 1e5) / 1e4;
}

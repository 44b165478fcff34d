import type { Metric, Registry } from 'prom-client';

/**
 * Metrics that are plain numbers until somebody scrapes: prom-client, whose own counters cost a
 * microsecond with labels, only keeps their list and writes the text.
 */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** A gauge or a counter, as its owner knows it at a scrape. */
export interface Reading {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  /** One number, or one for each set of labels. */
  readonly read: () => number | readonly Sample[];
}

interface Line extends Sample {
  readonly metricName?: string;
}

/** What a registry asks of a metric. */
class Scraped {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  private readonly lines: () => readonly Line[];

  constructor(name: string, help: string, type: string, lines: () => readonly Line[]) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.lines = lines;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = this.lines().map((line) => ({ ...line, labels: line.labels ?? {} }));
    return { name, help, type, aggregator, values };
  }
}

function register(registry: Registry, metric: Scraped): void {
  // The type asks for the library's own classes; the code, for `name` and `get`.
  registry.registerMetric(metric as unknown as Metric);
}

export function registerReadings(registry: Registry, readings: readonly Reading[]): void {
  for (const { name, help, type, read } of readings) {
    const lines = (): readonly Line[] => {
      const value = read();
      return typeof value === 'number' ? [{ value }] : value;
    };
    register(registry, new Scraped(name, help, type, lines));
  }
}

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, rising. */
  readonly buckets: readonly number[];
}

/** A histogram; `Key` names one of its sets of labels. Sets are kept for ever: bound them. */
export class Histogram {
  private readonly options: HistogramOptions;
  private readonly series: Series[] = [];

  constructor(registry: Registry, options: HistogramOptions) {
    this.options = options;
    const { name, help } = options;
    const lines = (): readonly Line[] => this.series.flatMap((each) => each.lines(name));
    register(registry, new Scraped(name, help, 'histogram', lines));
  }

  /** The series with these labels, anew: to be kept by whoever observes. */
  with(labels: Labels = {}): Series {
    const series = new Series(labels, this.options.buckets);
    this.series.push(series);
    return series;
  }
}

export class Series {
  private readonly labels: Labels;
  private readonly buckets: readonly number[];
  private readonly counts: Float64Array;
  private sum = 0;

  constructor(labels: Labels, buckets: readonly number[]) {
    this.labels = labels;
    this.buckets = buckets;
    this.counts = new Float64Array(buckets.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.buckets.length && value > this.buckets[at]!) at += 1;
    this.counts[at]! += 1;
    this.sum += value;
  }

  lines(name: string): readonly Line[] {
    let total = 0;
    const bounds = [...this.buckets.map(String), '+Inf'];
    const lines: Line[] = bounds.map((le, at) => {
      total += this.counts[at]!;
      return { metricName: `${name}_bucket`, labels: { ...this.labels, le }, value: total };
    });
    return [
      ...lines,
      { metricName: `${name}_sum`, labels: this.labels, value: this.sum },
      { metricName: `${name}_count`, labels: this.labels, value: total },
    ];
  }
}

/** Series by the value of something that there are few of, such as a peer's id. */
export class SeriesBy<Key> {
  private readonly byKey = new Map<Key, Series>();
  private readonly make: (key: Key) => Series;

  constructor(make: (key: Key) => Series) {
    this.make = make;
  }

  get(key: Key): Series {
    let series = this.byKey.get(key);
    if (series === undefined) {
      series = this.make(key);
      this.byKey.set(key, series);
    }
    return series;
  }
}

/** A counter with labels, by one key. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(key: string, count = 1): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
  }

  has(key: string): boolean {
    return this.counts.has(key);
  }

  get size(): number {
    return this.counts.size;
  }

  samples(labels: (key: string) => Labels): readonly Sample[] {
    return [...this.counts].map(([key, value]) => ({ labels: labels(key), value }));
  }
}

/** `count` bounds from `start`, each `factor` times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => start * factor ** at);
}

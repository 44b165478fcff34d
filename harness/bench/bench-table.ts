/** Measurements as text. */
import { medianOf } from '../median.ts';
import {
  type CellRatios,
  type Measurement,
  type ProcessorFigures,
  perSecond,
  problemCount,
  type Ratio,
  ratiosOf,
  type System,
} from './measurement.ts';

const HEAD: readonly string[] = [
  ...['cell', 'system', 'req/s', 'p50 ms', 'p99 ms', 'max ms', 'errors'],
  ...['leader us', 'follower us', 'client us', 'client %', 'other %'],
];
const NONE = '-';

/** One line for each cell and system: medians over the rounds; errors are summed. */
export function figuresTable(
  cells: readonly string[],
  systems: readonly System[],
  measurements: readonly Measurement[],
): string[] {
  const rows = cells.flatMap((cell) =>
    systems.flatMap((system) => {
      const own = measurements.filter((each) => each.cell === cell && each.system === system);
      return own.length === 0 ? [] : [figuresRow(cell, system, own)];
    }),
  );
  return table([HEAD, ...rows]);
}

export function ratiosTable(
  cells: readonly string[],
  measurements: readonly Measurement[],
): string[] {
  const ratios = cells.map((cell) => ratiosOf(cell, measurements));
  const rows = ratios.flatMap((each) => (each === undefined ? [] : [ratiosRow(each)]));
  if (rows.length === 0) return [];
  return table([['cell', 'rounds', 'throughput x', 'mean x', 'p50 x', 'p99 x'], ...rows]);
}

/** For a line of progress. */
export function inWords({ cell, system, load, processors }: Measurement): string {
  const { latency } = load;
  const other = processors === undefined ? '' : `, other work ${percent(processors.otherShare)} %`;
  return [
    `${system} ${cell}: ${perSecond(load).toFixed(0)}/s`,
    `p50 ${milliseconds(latency.p50Ns)} ms`,
    `p99 ${milliseconds(latency.p99Ns)} ms`,
    `${problemCount(load)} errors${other}`,
  ].join(', ');
}

function figuresRow(cell: string, system: System, own: readonly Measurement[]): string[] {
  const median = (figure: (each: Measurement) => number): number => medianOf(own.map(figure));
  const errors = own.reduce((sum, { load }) => sum + problemCount(load), 0);
  const processors = own.flatMap((each) => each.processors ?? []);
  const processor = (figure: (each: ProcessorFigures) => number, show: typeof tenths): string =>
    processors.length === 0 ? NONE : show(medianOf(processors.map(figure)));
  return [
    ...[cell, system, median(({ load }) => perSecond(load)).toFixed(0)],
    milliseconds(median(({ load }) => load.latency.p50Ns)),
    milliseconds(median(({ load }) => load.latency.p99Ns)),
    milliseconds(median(({ load }) => load.latency.maxNs)),
    String(errors),
    processor(({ leaderUs }) => leaderUs, tenths),
    processor(({ followerUs }) => medianOf(followerUs.length > 0 ? followerUs : [0]), tenths),
    processor(({ clientUs }) => clientUs, tenths),
    processor(({ clientShare }) => clientShare, percent),
    processor(({ otherShare }) => otherShare, percent),
  ];
}

function ratiosRow({ cell, rounds, throughput, mean, p50, p99 }: CellRatios): string[] {
  return [cell, String(rounds), ...[throughput, mean, p50, p99].map(span)];
}

function span({ median, least, most }: Ratio): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}

function milliseconds(ns: number): string {
  return (ns / 1e6).toFixed(2);
}

function tenths(value: number): string {
  return value.toFixed(1);
}

function percent(share: number): string {
  return (100 * share).toFixed(0);
}

/** The first two columns to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd(),
  );
}

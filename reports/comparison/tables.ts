/** The tables of a comparison: a column for each target, or rows of all targets by turns. */
import { clip, formatCount, formatInstant, formatNs } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import { effectCell } from '../sections/faults.ts';
import { table } from '../sections/table.ts';
import { validityMark } from '../sections/verdict.ts';
import { pairFaults, type Side } from './comparison.ts';
import { servedAgainNs } from './served-again.ts';

const ROWS_MAX = 1_000;
const TEXT_CHARS_MAX = 500;

/** What each figure is, and of which side. */
const FIGURES: readonly (readonly [name: string, of: (side: Side) => Part])[] = [
  ['Verdict', ({ input }) => verdictCell(input.record.validity)],
  [
    'Operations',
    ({ figures: { ok, fail, info, unfinished } }) => count(ok + fail + info + unfinished),
  ],
  ['ok', ({ figures }) => count(figures.ok)],
  ['fail', ({ figures }) => count(figures.fail)],
  ['info', ({ figures }) => count(figures.info)],
  ['Rate in the storm', ({ figures }) => `${count(figures.stormPerSecond)}/s`],
  ['Latency p50', ({ figures }) => lengthCell(figures.latency?.p50Ns)],
  ['Latency p99', ({ figures }) => lengthCell(figures.latency?.p99Ns)],
  ['Latency p99.9', ({ figures }) => lengthCell(figures.latency?.p999Ns)],
  ['Latency max', ({ figures }) => lengthCell(figures.latency?.maxNs)],
  ['Longest silence', ({ figures }) => silenceCell(figures.longestSilence)],
  ['Served', ({ availability }) => `${(100 * availability.share).toFixed(1)} % of the storm`],
  ['Served again after heals', (side) => servedAgainCell(side)],
  ['Leader changes', ({ input }) => count(Math.max(0, input.leaderships.length - 1))],
  [
    'Faults observed',
    ({ figures, input }) => `${figures.faults.observed} of ${input.record.faults.length}`,
  ],
];

export function figuresTable(sides: readonly Side[]): Html {
  const windowNs = Math.max(...sides.map(({ availability }) => availability.windowNs));
  return table({
    caption: [
      'The same plan on each target. Latencies are of operations that ended ok; silence is time in',
      'the storm without one. Served: the share of the windows of the storm, each of',
      `${formatNs(windowNs)}, in which one ended ok.`,
    ].join(' '),
    columns: ['Figure', ...sides.map(({ name }) => name)],
    rows: FIGURES.map(([name, of]) => [name, ...sides.map(of)]),
    rowsMax: ROWS_MAX,
  });
}

export function faultsTable(sides: readonly Side[]): Html {
  const pairs = pairFaults(sides);
  if (pairs.length === 0) return html`<p>No faults were injected.</p>`;
  return table({
    caption:
      'Each fault on each target. Served again: from the begin of the heal until an operation asked for after it, through a member that was hit, ended ok.',
    columns: [
      'No.',
      'Target',
      'Kind',
      'What',
      'In place',
      'Inject',
      'Heal',
      'Served again',
      'Effect',
      'Observation',
    ],
    rows: pairs.flatMap(({ number, kind, faults }) =>
      sides.map((side, at) => [number, side.name, kind, ...faultCells(side, faults[at])]),
    ),
    rowsMax: ROWS_MAX,
  });
}

function faultCells({ served }: Side, fault: Fault | undefined): readonly Part[] {
  if (fault === undefined) return ['not in this run', '–', '–', '–', '–', '–', '–'];
  const { description, injectStartNs, injectEndNs, healStartNs, healEndNs, effect } = fault;
  const what = clip(description, TEXT_CHARS_MAX);
  const words = clip(fault.observation, TEXT_CHARS_MAX);
  if (effect === 'skipped') return [what, '–', '–', '–', '–', effectCell(effect), words];
  return [
    what,
    html`<span class="nowrap">${formatInstant(injectEndNs)} –</span>
      <span class="nowrap">${formatInstant(healStartNs)}</span>`,
    nowrap(formatNs(injectEndNs - injectStartNs)),
    nowrap(formatNs(healEndNs - healStartNs)),
    lengthCell(servedAgainNs(served, fault)),
    effectCell(effect),
    words,
  ];
}

type Fault = Side['input']['record']['faults'][number];

const MECHANISM = 'fault mechanism: ';

/** Versions and machine; how faults are made is out of the way. */
export function environmentTables(sides: readonly Side[]): Html {
  const names = [
    ...new Set(sides.flatMap(({ input }) => input.record.environment.map(({ name }) => name))),
  ];
  const isMechanism = (name: string): boolean => name.startsWith(MECHANISM);
  const rows = (chosen: readonly string[]): readonly (readonly Part[])[] =>
    chosen.map((name) => [
      name.replace(MECHANISM, ''),
      ...sides.map((side) => environmentCell(side, name)),
    ]);
  const columns = ['Name', ...sides.map(({ name }) => name)];
  const environment = table({
    caption: 'What each run wrote down about its surroundings.',
    columns,
    rows: rows(names.filter((name) => !isMechanism(name))),
    rowsMax: ROWS_MAX,
  });
  const mechanisms = table({
    caption: 'How each kind of fault is made, or why it is not.',
    columns,
    rows: rows(names.filter(isMechanism)),
    rowsMax: ROWS_MAX,
  });
  return html`${environment}
<details><summary>Fault mechanisms</summary>${mechanisms}</details>`;
}

function environmentCell({ input }: Side, name: string): string {
  const values = input.record.environment.filter((each) => each.name === name);
  const words = values.map(({ value }) => value).join('; ');
  return words === '' ? '–' : clip(words, TEXT_CHARS_MAX);
}

function verdictCell(validity: 'valid' | 'invalid' | 'unknown'): Html {
  return html`${validityMark(validity)} ${validity}`;
}

function silenceCell({ fromNs, lengthNs }: Side['figures']['longestSilence']): string {
  return `${formatNs(lengthNs)} from ${formatInstant(fromNs)}`;
}

/** Median and worst over the faults that were in place. */
function servedAgainCell({ input, served }: Side): string {
  const there = input.record.faults.filter(({ effect }) => effect !== 'skipped');
  const times = there.map((fault) => servedAgainNs(served, fault));
  const known = times.filter((ns) => ns !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return '–';
  const never = times.length - known.length;
  const suffix = never === 0 ? '' : `, ${never} never`;
  const median = known[Math.floor((known.length - 1) / 2)]!;
  return `median ${formatNs(median)}, longest ${formatNs(known.at(-1)!)}${suffix}`;
}

function lengthCell(ns: number | undefined): Part {
  return ns === undefined ? '–' : nowrap(formatNs(ns));
}

function nowrap(text: string): Html {
  return html`<span class="nowrap">${text}</span>`;
}

function count(amount: number): string {
  return formatCount(amount);
}

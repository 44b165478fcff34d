/** Where everything in the picture of a counterexample goes. Draws nothing. */
import type { FaultMark } from '../fault-marks.ts';
import { clip } from '../format.ts';
import { type BentAxis, bentAxis, type Focus } from './bent-axis.ts';
import type { EvidenceOps, ShownOp } from './evidence-ops.ts';
import { askedWords, outcomeWords } from './op-words.ts';

/** Space for the names of the rows, and for operations without an end. */
const LEFT_PX = 108;
const RIGHT_PX = 40;
/** For the core, from its first event to its last. */
const FOCUS_PX_LEAST = 520;
/** For what went before the core's first event, and as much for what came after its last. */
const BESIDE_PX_MAX = 170;

const CHARS_SHOWN_MAX = 24;
const CHAR_PX = 7.8;
const BAR_PADDING_PX = 18;

/** Rows of other processes; operations that find no place are left out. */
const CONTEXT_ROWS_MAX = 5;
const CORE_ROW_PX = 52;
const CONTEXT_ROW_PX = 24;
const FAULT_ROW_PX = 18;
const AXIS_PX = 24;

export interface Bar {
  readonly op: ShownOp;
  readonly x: number;
  readonly width: number;
  readonly y: number;
  /** Nobody knows when it takes effect, if ever: drawn on to the edge. */
  readonly isOpen: boolean;
  readonly lines: readonly [asked: string, outcome: string];
  /** Whether its row is named after its process. */
  readonly isInOwnRow: boolean;
}

export interface TimelineLayout {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly left: number;
  readonly right: number;
  readonly axisY: number;
  readonly startNs: number;
  readonly rows: readonly {
    readonly name: string;
    readonly y: number;
    readonly heightPx: number;
  }[];
  readonly core: readonly Bar[];
  readonly context: readonly Bar[];
  readonly faults: readonly { readonly mark: FaultMark; x: number; width: number; y: number }[];
  readonly ticks: readonly { readonly timeNs: number; readonly x: number }[];
}

export function layOutTimeline(ops: EvidenceOps, marks: readonly FaultMark[]): TimelineLayout {
  const axis = axisOf(ops);
  const { fromNs: startNs, toNs: endNs } = focusOf(ops);
  const right = LEFT_PX + Math.max(FOCUS_PX_LEAST, axis.widthPx);
  const place = { x: (timeNs: number) => LEFT_PX + axis.xOf(timeNs), right };
  const present = marks.filter(
    ({ fault }) => fault.injectStartNs <= endNs && fault.healEndNs >= startNs,
  );
  const faultRows = Math.max(-1, ...present.map((mark) => mark.row)) + 1;
  const axisY = faultRows * FAULT_ROW_PX + AXIS_PX;
  const processes = [...new Set(ops.drawn.map((op) => op.process))];
  const rows = processes.map((process, at) => ({
    name: rowName(process, ops.drawn),
    y: axisY + 6 + at * CORE_ROW_PX,
    heightPx: CORE_ROW_PX,
  }));
  const yOf = (process: number): number => rows[processes.indexOf(process)]!.y;
  const core = ops.drawn.map((op) => barOf(op, place, yOf(op.process)));
  const below = axisY + 6 + rows.length * CORE_ROW_PX;
  const same = ops.context.filter((op) => processes.includes(op.process));
  const others = ops.context.filter((op) => !processes.includes(op.process));
  const packed = packContext(others, place, below);
  const contextRows = new Set(packed.map((bar) => bar.y)).size;
  const contextRow = { name: 'others', y: below, heightPx: contextRows * CONTEXT_ROW_PX };
  return {
    widthPx: right + RIGHT_PX,
    heightPx: below + contextRows * CONTEXT_ROW_PX + 6,
    left: LEFT_PX,
    right,
    axisY,
    startNs,
    rows: contextRows > 0 ? [...rows, contextRow] : rows,
    core,
    context: [...same.map((op) => barOf(op, place, yOf(op.process) + 10)), ...packed],
    faults: present.map((mark) => {
      const x = place.x(mark.fault.injectStartNs);
      const width = Math.max(2, place.x(mark.fault.healEndNs) - x);
      return { mark, x, width, y: mark.row * FAULT_ROW_PX };
    }),
    ticks: ticksOf(ops.drawn, place.x),
  };
}

/** Room for the words of each core operation, and some after the last for those without an end. */
function axisOf(ops: EvidenceOps): BentAxis {
  const times = [...ops.drawn, ...ops.context].flatMap((op) => [op.invoke.time, lastTime(op)]);
  const afterNs = Math.max(1, (Math.max(...times) - Math.min(...times)) / 10);
  if (ops.drawn.some(isOpen)) times.push(Math.max(...times) + afterNs);
  const lastNs = Math.max(...times);
  const demands = ops.drawn.map((op) => ({
    fromNs: op.invoke.time,
    toNs: isOpen(op) ? lastNs : lastTime(op),
    widthPx: Math.max(...linesOf(op).map((line) => line.length)) * CHAR_PX + BAR_PADDING_PX,
  }));
  const focus = focusOf(ops);
  demands.push({ ...focus, widthPx: FOCUS_PX_LEAST });
  return bentAxis({ timesNs: times, demands, focus });
}

/** The end of an operation whose outcome nobody knows means nothing. */
function focusOf({ drawn }: EvidenceOps): Focus {
  const ends = drawn.map((op) => (isOpen(op) ? op.invoke.time : lastTime(op)));
  return {
    fromNs: Math.min(...drawn.map((op) => op.invoke.time)),
    toNs: Math.max(...ends),
    besidePxMax: BESIDE_PX_MAX,
  };
}

function lastTime({ invoke, completion }: ShownOp): number {
  return completion?.time ?? invoke.time;
}

function isOpen({ completion }: ShownOp): boolean {
  return completion === undefined || completion.type === 'info';
}

function linesOf(op: ShownOp): readonly [string, string] {
  return [clip(askedWords(op), CHARS_SHOWN_MAX), clip(outcomeWords(op), CHARS_SHOWN_MAX)];
}

function rowName(process: number, ops: readonly ShownOp[]): string {
  const nodes = ops
    .filter((op) => op.process === process)
    .map(({ invoke, completion }) => completion?.node ?? invoke.node);
  const [node] = nodes.filter((each) => each !== undefined);
  return node === undefined ? `process ${process}` : `process ${process} · ${node}`;
}

interface Place {
  x(timeNs: number): number;
  readonly right: number;
}

function barOf(op: ShownOp, place: Place, y: number): Bar {
  const x = place.x(op.invoke.time);
  const end = isOpen(op) ? place.right : place.x(lastTime(op));
  return {
    op,
    x,
    width: Math.max(3, end - x),
    y,
    isOpen: isOpen(op),
    lines: linesOf(op),
    isInOwnRow: true,
  };
}

/** Each into the first row that is free at its time. */
function packContext(ops: readonly ShownOp[], place: Place, top: number): Bar[] {
  const freeAt: number[] = [];
  return ops.flatMap((op) => {
    const bar = barOf(op, place, 0);
    const free = freeAt.findIndex((x) => x + 2 <= bar.x);
    const row = free < 0 ? freeAt.length : free;
    if (row >= CONTEXT_ROWS_MAX) return [];
    freeAt[row] = bar.x + bar.width;
    return [{ ...bar, y: top + row * CONTEXT_ROW_PX, isInOwnRow: false }];
  });
}

const TICK_PX_LEAST = 76;

/** The times of the core's events, as far as their labels do not collide. */
function ticksOf(
  ops: readonly ShownOp[],
  x: (timeNs: number) => number,
): { readonly timeNs: number; readonly x: number }[] {
  const times = new Set(ops.flatMap((op) => [op.invoke.time, lastTime(op)]));
  const ticks: { readonly timeNs: number; readonly x: number }[] = [];
  for (const timeNs of [...times].sort((a, b) => a - b)) {
    const last = ticks.at(-1);
    const least = ticks.length === 1 ? TICK_PX_LEAST * 1.3 : TICK_PX_LEAST;
    if (last === undefined || x(timeNs) - last.x >= least) ticks.push({ timeNs, x: x(timeNs) });
  }
  return ticks;
}

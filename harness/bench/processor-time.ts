/** Processor time as Linux accounts for it, in steps of 10 ms. */
import { readFileSync } from 'node:fs';

/** What one process, or the machine, has used so far, in µs. */
export interface ProcessorReading {
  readonly processUs: ReadonlyMap<number, number>;
  /** All processors together: busy, and in all. */
  readonly busyUs: number;
  readonly totalUs: number;
}

/** USER_HZ is 100 on every platform that Node runs on. */
const US_PER_TICK = 10_000;

/** Undefined where there is no /proc. */
export function readProcessorTime(pids: readonly number[]): ProcessorReading | undefined {
  try {
    const machine = parseMachine(readFileSync('/proc/stat', 'latin1'));
    const processUs = new Map(
      pids.map((pid) => [pid, parseProcess(readFileSync(`/proc/${pid}/stat`, 'latin1'))]),
    );
    return { processUs, ...machine };
  } catch {
    // Not Linux, or the process is gone: then there are no figures, and the rest still counts.
    return undefined;
  }
}

/** proc(5): user and system time of all threads are fields 14 and 15. */
export function parseProcess(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

/** The first line of /proc/stat; idle and waiting for I/O are fields 4 and 5. */
export function parseMachine(stat: string): { readonly busyUs: number; readonly totalUs: number } {
  const [line = ''] = stat.split('\n');
  // The last two, of guests, are counted among the first two already.
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, each) => sum + each, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busyUs: (total - idle) * US_PER_TICK, totalUs: total * US_PER_TICK };
}

export interface ProcessorUse {
  readonly usedUs: ReadonlyMap<number, number>;
  /** Share of the machine, 0 to 1, that went to none of the processes. */
  readonly otherShare: number;
}

export function processorUse(before: ProcessorReading, after: ProcessorReading): ProcessorUse {
  const usedUs = new Map<number, number>();
  let ownUs = 0;
  for (const [pid, us] of after.processUs) {
    const used = us - (before.processUs.get(pid) ?? us);
    usedUs.set(pid, used);
    ownUs += used;
  }
  const otherUs = Math.max(0, after.busyUs - before.busyUs - ownUs);
  const totalUs = after.totalUs - before.totalUs;
  return { usedUs, otherShare: totalUs > 0 ? otherUs / totalUs : 0 };
}

/**
 * Holds a process group to a share of the processor by stopping it most of the time. Ends when its
 * standard input does, or by SIGTERM, and leaves the group running.
 *
 * Usage: duty-cycle.ts GROUP-ID PERCENT; prints `ready` after its first stop.
 */

const PERIOD_MS = 100;

const [groupId = 0, percent = 100] = process.argv.slice(2).map(Number);
const runMs = Math.max(1, (PERIOD_MS * percent) / 100);
let timer: NodeJS.Timeout | undefined;

function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(-groupId, name);
  } catch {
    process.exit(0);
  }
}

function rest(): void {
  signal('SIGSTOP');
  timer = setTimeout(work, PERIOD_MS - runMs);
}

function work(): void {
  signal('SIGCONT');
  timer = setTimeout(rest, runMs);
}

function end(): void {
  clearTimeout(timer);
  signal('SIGCONT');
  process.exit(0);
}

for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, end);
process.stdin.on('end', end).on('error', end).resume();
rest();
process.stdout.write('ready\n');

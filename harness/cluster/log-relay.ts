/**
 * A pipe between a server and its log, whose reader can be stopped. The server writes to a FIFO;
 * a `sed` beside it, in its process group or container, carries the lines on. Stopped, with the
 * FIFO filled up, it is what a stuck terminal or a dead log collector is to a server.
 */

import { ClusterError } from './cluster.ts';
import type { LogStall } from './resource-control.ts';

/** Runs a shell script where the server is; answers what it printed on both streams. */
export type RunScript = (script: string, parameters: readonly string[]) => Promise<string>;

/**
 * The relay holds the FIFO open for reading and writing, so it outlives the server's end of it.
 * Zero bytes are filling, and are taken out again. $1 FIFO, $2 the log or nothing for what the
 * relay inherits as output; then the command.
 */
const RELAY = `
fifo=$1 log=$2
shift 2
[ -p "$fifo" ] || mkfifo "$fifo"
[ -z "$log" ] || exec >>"$log"
sed -u 's/\\x00//g' <>"$fifo" &
echo $! >"$fifo.pid"
exec "$@" >"$fifo" 2>&1
`;

/** Blocks as large as a pipe takes as a whole, then bytes: after that nothing fits. */
const STOP_AND_FILL = `
kill -STOP "$(cat "$1.pid")" || exit 1
for size in 4096 1; do dd if=/dev/zero of="$1" bs=$size oflag=nonblock 2>&1; done
:
`;

const FILL_MORE = `
dd if=/dev/zero of="$1" bs=1 oflag=nonblock 2>&1
shift
for process in "$@"; do cat /proc/$process/task/*/syscall 2>/dev/null; done
:
`;

const GO_ON = `kill -CONT "$(cat "$1.pid")"`;

/** `write` and `writev`, of x86-64 and arm64, to standard output or error. */
const BLOCKED_WRITE = /^(1|20|64|66) 0x[12] /;
const COPIED = /^(\d+) bytes? .*copied/;

/** The command with its output led through the relay; `log`: a file, else the caller's output. */
export function throughRelay(
  fifo: string,
  log: string | undefined,
  command: readonly string[],
): readonly [string, ...string[]] {
  return ['sh', '-c', RELAY, 'sh', fifo, log ?? '', ...command];
}

export class LogRelay {
  readonly #run: RunScript;
  readonly #fifo: string;
  #filledBytes = 0;

  constructor(fifo: string, run: RunScript) {
    this.#fifo = fifo;
    this.#run = run;
  }

  async stall(): Promise<void> {
    const printed = await this.#run(STOP_AND_FILL, [this.#fifo]);
    this.#filledBytes = copiedBytes(printed);
    if (this.#filledBytes === 0) throw new ClusterError(`no log to stall: ${printed.trim()}`);
  }

  /** `processes`: pids, or a pattern that the shell expands below /proc. */
  async state(processes: readonly string[]): Promise<LogStall> {
    const printed = await this.#run(FILL_MORE, [this.#fifo, ...processes]);
    const more = copiedBytes(printed);
    const blockedThreads = printed.split('\n').filter((line) => BLOCKED_WRITE.test(line)).length;
    this.#filledBytes += more;
    return { waitingBytes: this.#filledBytes, isFull: more === 0, blockedThreads };
  }

  async resume(): Promise<void> {
    this.#filledBytes = 0;
    await this.#run(GO_ON, [this.#fifo]);
  }
}

/** What `dd` says that it has written, all calls together. */
function copiedBytes(printed: string): number {
  const counts = printed.split('\n').map((line) => Number(COPIED.exec(line)?.[1] ?? 0));
  return counts.reduce((sum, each) => sum + each, 0);
}

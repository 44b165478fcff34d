/** An nft that stays: a change costs a line to it instead of a process. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const ANSWER_MS_MAX = 5_000;
const LAST_WORDS_CHARACTERS_MAX = 500;

interface Waiting {
  readonly lines: string[];
  readonly count: number;
  settle(failure: string | undefined): void;
}

export class NftShell {
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Waiting | undefined;
  #lastWords = '';

  /**
   * Runs commands, `count` of which list something, and resolves with a line for each of those.
   * One call at a time. What nft says to the others is only seen in the failure: look at what is
   * listed. A shell that has ended is started again.
   */
  ask(commands: readonly string[], count: number): Promise<readonly string[]> {
    this.#child ??= this.#start();
    const { stdin } = this.#child;
    this.#lastWords = '';
    return new Promise((resolve, reject) => {
      const lines: string[] = [];
      const timer = setTimeout(() => this.#end('no answer'), ANSWER_MS_MAX);
      this.#waiting = {
        lines,
        count,
        settle: (failure) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          if (failure === undefined) resolve(lines);
          else reject(new Error(`nft: ${failure} ${this.#lastWords}`.trim()));
        },
      };
      stdin.write(`${commands.join('\n')}\n`);
    });
  }

  /** What nft has complained of since the last call. */
  get complaint(): string {
    return this.#lastWords.trim().replaceAll(/\s*\n\s*/g, ' ');
  }

  close(): void {
    this.#end('closed');
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn('nft', ['-j', '-i'], { stdio: 'pipe' });
    const onEnd = (why: string): void => {
      if (this.#child === child) this.#end(why);
    };
    child.on('error', ({ message }) => onEnd(message));
    child.on('close', (code, signal) => onEnd(`ended with ${code ?? signal}`));
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(-LAST_WORDS_CHARACTERS_MAX);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const waiting = this.#child === child ? this.#waiting : undefined;
      if (waiting === undefined || !line.startsWith('{')) return;
      waiting.lines.push(line);
      if (waiting.lines.length === waiting.count) waiting.settle(undefined);
    });
    return child;
  }

  #end(why: string): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#waiting?.settle(why);
  }
}

/** The other end of a worker process: asks, waits, and ends it when it takes too long. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { SimAnswer, SimJob } from './job.ts';

/** Of what a worker wrote to its standard error, this much is kept. */
const SAID_CHARACTERS_MAX = 4_000;
/** However long a machine stood still, one tick of a timer is late, and not many. */
const LIMIT_TICKS = 100;

/** A worker in one copy of the repository; a new process is started when the last one ended. */
export class SimWorker implements Disposable {
  readonly #program: string;
  #child: ChildProcess | undefined;
  #said = '';

  /** `root`: of this repository or an edited copy of it. */
  constructor(root: string) {
    this.#program = join(root, 'harness/sim', `worker${extension()}`);
  }

  /**
   * Never rejects; after `limitMs` of real time the answer is `hung`. Time in which the machine
   * stands still, this process too, does not count. One job at a time.
   */
  run(job: SimJob, limitMs: number): Promise<SimAnswer> {
    const child = this.#child ?? this.#start();
    return new Promise((resolve) => {
      const finish = (answer: SimAnswer): void => {
        clearInterval(timer);
        child.removeListener('message', onMessage);
        child.removeListener('exit', onExit);
        resolve(answer);
      };
      const onMessage = (answer: SimAnswer): void => finish(answer);
      const onExit = (code: number | null, signal: string | null): void => {
        const how = signal ?? `exit status ${code}`;
        finish({ type: 'crashed', detail: `${how}: ${this.#said.trim()}`, cpuMs: 0 });
      };
      let ticks = 0;
      const timer = setInterval(() => {
        ticks += 1;
        if (ticks < LIMIT_TICKS) return;
        this.#end();
        finish({ type: 'hung', cpuMs: limitMs });
      }, limitMs / LIMIT_TICKS);
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(job, (error) => {
        if (error !== null) finish({ type: 'crashed', detail: error.message, cpuMs: 0 });
      });
    });
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #start(): ChildProcess {
    const child = fork(this.#program, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_CHARACTERS_MAX);
    });
    // It may end between two jobs; the next one gets a new process.
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.on('exit', forget);
    child.on('error', forget);
    this.#child = child;
    return child;
  }

  #end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

/** `.ts` in the repository, `.js` in the package. */
function extension(): string {
  return import.meta.filename.slice(-3);
}

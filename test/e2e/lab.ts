/**
 * Real programs for the tests in this folder: started, listened to, waited for and ended by
 * pid, in a temporary directory that goes away with them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of this repository. */
export const ROOT: string = resolve(import.meta.dirname, '../..');

/** A condition that takes longer than this never comes true; a busy machine takes its time. */
const EVENTUALLY_MS = 60_000;
const POLL_MS = 50;

export interface Ended {
  /** Undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export class Launched {
  stdout = '';
  stderr = '';
  isRunning = true;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((done) => {
      const end = (code: number | null): void => {
        this.isRunning = false;
        done({ code: code ?? undefined, stdout: this.stdout, stderr: this.stderr });
      };
      child.once('close', end);
      child.once('error', () => end(null));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it is gone and all that it printed is here. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    if (this.isRunning) this.#child.kill(signal);
    return this.ended;
  }
}

export interface LaunchOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** SIGKILL after this. */
  readonly timeoutMs?: number;
}

export class Lab implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'stormraft-e2e-'));
  /** The temporary directory of what is launched here: what it keeps there is its own. */
  readonly temporary: string = join(this.directory, 'tmp');
  readonly #launched: Launched[] = [];

  constructor() {
    mkdirSync(this.temporary);
  }

  path(...segments: readonly string[]): string {
    return join(this.directory, ...segments);
  }

  launch(program: string, args: readonly string[], options: LaunchOptions = {}): Launched {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD'));
    const child = spawn(program, args, {
      cwd: this.directory,
      env: { ...Object.fromEntries(kept), TMPDIR: this.temporary, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    // A program that ends without reading its input is no failure of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const launched = new Launched(child);
    this.#launched.push(launched);
    return launched;
  }

  /** A program of this repository. */
  launchOwn(path: string, args: readonly string[], options?: LaunchOptions): Launched {
    return this.launch(process.execPath, [join(ROOT, path), ...args], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#launched.map((launched) => launched.end('SIGKILL')));
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Looks until there is something to see (a rejection is nothing yet); throws if never. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
): Promise<Value> {
  let last: unknown;
  const deadlineMs = Date.now() + EVENTUALLY_MS;
  while (Date.now() < deadlineMs) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      last = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`never: ${what}`, { cause: last });
}

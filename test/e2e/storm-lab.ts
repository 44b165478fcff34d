/** `storm` as its users run it: command lines, run directories, and what a run leaves behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Ended, eventually, Lab, type Launched } from './lab.ts';

/** From the root of the repository. */
export const CLI = 'harness/cli.ts';

/** A lab for runs: whatever they leave behind, even when a test fails, goes away with it. */
export class StormLab implements AsyncDisposable {
  readonly lab: Lab = new Lab();
  readonly runsDirectory: string = this.lab.path('runs');

  constructor() {
    mkdirSync(this.runsDirectory);
  }

  launch(args: readonly string[]): Launched {
    return this.lab.launchOwn(CLI, args);
  }

  /** Any command, to its end. */
  storm(...args: readonly string[]): Promise<Ended> {
    return this.launch(args).ended;
  }

  /** A command that makes a run directory; `{ended, directory}` of the newest run. */
  async run(...args: readonly string[]): Promise<{ ended: Ended; directory: string }> {
    const ended = await this.storm(...args, '--runs-dir', this.runsDirectory);
    return { ended, directory: this.newestRun() };
  }

  newestRun(): string {
    return realpathSync(join(this.runsDirectory, 'latest'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storm('sweep');
    await this.lab[Symbol.asyncDispose]();
  }
}

/** Starts a run and kills it with SIGKILL while one of its faults is in place. */
export async function killedMidFault(
  storms: StormLab,
  args: readonly string[],
  beforeKill: (run: StormRun) => Promise<void>,
): Promise<StormRun> {
  const launched = storms.launch([...args, '--runs-dir', storms.runsDirectory]);
  const run = await stormBegins(launched);
  const history = join(run.directory, 'history.jsonl');
  await eventually('a fault is in place', async () => {
    return existsSync(history) && /"step":"injected"/.test(readFileSync(history, 'utf8'));
  });
  await beforeKill(run);
  await launched.end('SIGKILL');
  return run;
}

/** Resolves when clients and faults are about to begin. */
export function stormBegins(launched: Launched): Promise<StormRun> {
  return eventually('the storm begins', async () => {
    const directory = /^storm: .* s, history in (.+)$/m.exec(launched.stdout)?.[1];
    if (directory === undefined) return undefined;
    return { directory, id: `storm-${basename(directory)}-${launched.pid}` };
  });
}

export interface StormRun {
  readonly directory: string;
  /** On the command line or the label of everything that belongs to the run. */
  readonly id: string;
}

/** Command lines of the processes that belong to a run. */
export function processesOf({ id, directory }: StormRun): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(commandLine)
    .filter((line) => line.includes(id) || line.includes(`=${directory}/`));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}

/** The last line of `stdout` that begins so, without the beginning. */
export function line(stdout: string, beginning: string): string | undefined {
  return stdout
    .split('\n')
    .findLast((text) => text.startsWith(beginning))
    ?.slice(beginning.length)
    .trim();
}

/** The lines on standard error; a good run has none. */
export function complaints({ stderr }: Ended): string[] {
  return stderr.split('\n').filter((text) => text !== '');
}

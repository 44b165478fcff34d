/**
 * A server that is no member of an opened cluster: one with a command line of its own. It is
 * written down for the sweep like the members are, and ends with the lab.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { ClusterError, type Target } from '../../cluster/cluster.ts';
import { killGroup } from '../../cluster/process/process-table.ts';
import { childEnvironment } from '../../cluster/process/programs.ts';
import type { Registration } from '../../cluster/process/registry.ts';

/** Where a program listens, on 127.0.0.1. */
export interface Place {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

export interface ProgramOptions {
  readonly target: Target;
  readonly place: Place;
  readonly dataDirectory: string;
  readonly logPath: string;
  readonly initialCluster: string;
  readonly initialState: 'new' | 'existing';
  readonly flags: readonly string[];
  readonly registration: Registration;
}

export class Program {
  readonly place: Place;
  readonly #options: ProgramOptions;
  readonly #child: ChildProcess;
  #isRunning = true;
  #exitCode: number | undefined;

  constructor(options: ProgramOptions) {
    this.place = options.place;
    this.#options = options;
    const [program, ...parameters] = commandLine(options);
    const log = openSync(options.logPath, 'a');
    const stdio = ['ignore', log, log] as const;
    this.#child = spawn(program, parameters, {
      detached: true,
      env: childEnvironment(),
      stdio: [...stdio],
    });
    closeSync(log);
    this.#child.once('exit', (code) => this.#ended(code ?? undefined));
    this.#child.once('error', () => this.#ended(undefined));
    if (this.#child.pid === undefined) {
      throw new ClusterError(`cannot start ${program} as ${options.place.name}`);
    }
    options.registration.add(this.#child.pid);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Undefined: it runs, or a signal ended it. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  get log(): string {
    const { logPath } = this.#options;
    return existsSync(logPath) ? readFileSync(logPath, 'utf8') : '';
  }

  async kill(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    await killGroup(pid);
    this.#options.registration.remove(pid);
  }

  #ended(code: number | undefined): void {
    this.#isRunning = false;
    this.#exitCode = code;
  }
}

function commandLine(options: ProgramOptions): readonly [string, ...string[]] {
  const { target, place, dataDirectory, initialCluster, initialState, flags } = options;
  const program: readonly [string, ...string[]] =
    target.kind === 'etcd' ? [target.path] : [process.execPath, `${target.root}/src/main.ts`];
  return [
    ...program,
    `--name=${place.name}`,
    `--data-dir=${dataDirectory}`,
    `--listen-client-urls=${place.clientUrl}`,
    `--advertise-client-urls=${place.clientUrl}`,
    `--listen-peer-urls=${place.peerUrl}`,
    `--initial-advertise-peer-urls=${place.peerUrl}`,
    `--initial-cluster=${initialCluster}`,
    `--initial-cluster-state=${initialState}`,
    ...flags,
  ];
}

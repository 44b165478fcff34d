/** The harness's end of the links process. */

import { type ChildProcess, fork } from 'node:child_process';
import type { DirectedLink, DirectedQuality } from '../../../network/link-quality.ts';
import { ClusterError } from '../../cluster.ts';
import { programPath } from '../programs.ts';
import type {
  LinkedMember,
  LinkReadings,
  LinksAnswer,
  LinksCommand,
  PeerProtocol,
} from './messages.ts';

export class Links {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<LinkReadings>>();
  #sequence = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: LinksAnswer) => {
      if (answer.type === 'done') this.#waiting.get(answer.sequence)?.resolve(answer.readings);
    });
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(gone());
    });
  }

  /**
   * Starts the proxies; `onSpawn` hears the pid at once. Throws {@link ClusterError}, whose
   * message has EADDRINUSE in it when a port is taken. `logFd` takes what the process prints.
   */
  static async open(
    setup: { readonly protocol: PeerProtocol; readonly members: readonly LinkedMember[] },
    host: {
      readonly runId: string;
      readonly logFd: number;
      readonly environment: NodeJS.ProcessEnv;
      readonly onSpawn: (pid: number) => void;
    },
  ): Promise<Links> {
    const child = fork(programPath('./links/main'), [host.runId], {
      // Its own group: the harness decides when the links end, not a Ctrl-C in its terminal.
      detached: true,
      execArgv: [],
      env: host.environment,
      stdio: ['ignore', host.logFd, host.logFd, 'ipc'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('error', (error) => reject(new ClusterError('no links', { cause: error })));
    child.once('exit', () => reject(gone()));
    child.once('message', (answer: LinksAnswer) => {
      if (answer.type === 'failed') reject(new ClusterError(`links: ${answer.reason}`));
      else resolve();
    });
    if (child.pid !== undefined) host.onSpawn(child.pid);
    child.send({ type: 'open', ...setup } satisfies LinksCommand);
    try {
      await promise;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return new Links(child);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when no further byte crosses the cuts, but for those in the sockets already. */
  async setCuts(cuts: readonly DirectedLink[]): Promise<void> {
    await this.#ask((sequence) => ({ type: 'cut', sequence, cuts }));
  }

  /** Links that are not listed are good. */
  async setQualities(links: readonly DirectedQuality[]): Promise<void> {
    await this.#ask((sequence) => ({ type: 'shape', sequence, links }));
  }

  /** Replaces the members that are off the network. */
  async setPulled(members: readonly string[]): Promise<void> {
    await this.#ask((sequence) => ({ type: 'pull', sequence, members }));
  }

  /** The member has got another id, with which it dials from now on. */
  async know(id: string, member: string): Promise<void> {
    await this.#ask((sequence) => ({ type: 'know', sequence, id, member }));
  }

  /** Ends the connections over these links with RST. */
  async reset(links: readonly DirectedLink[]): Promise<void> {
    await this.#ask((sequence) => ({ type: 'reset', sequence, links }));
  }

  readings(): Promise<LinkReadings> {
    return this.#ask((sequence) => ({ type: 'count', sequence }));
  }

  async #ask(command: (sequence: number) => LinksCommand): Promise<LinkReadings> {
    if (!this.#child.connected) throw gone();
    const sequence = this.#sequence++;
    const answer = Promise.withResolvers<LinkReadings>();
    this.#waiting.set(sequence, answer);
    this.#child.send(command(sequence));
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(sequence);
    }
  }
}

function gone(): ClusterError {
  return new ClusterError('the links process has ended; see links.log');
}

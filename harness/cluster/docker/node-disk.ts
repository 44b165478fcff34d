/** The disk of one docker node: orders to the program in front of its data, and its files. */

import type Dockerode from 'dockerode';
import { parseTally } from '../../disk/operations/state-directory.ts';
import {
  ClusterError,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type PowerLoss,
  type PowerLossReport,
} from '../cluster.ts';
import {
  type ControlAnswer,
  type ControlCall,
  controlCall,
  controlDone,
  numbersIn,
  requireDone,
} from './control-call.ts';
import type { DiskProbe } from './disk-probe.ts';
import { runInHolder } from './run-in-holder.ts';
import { damageCommand, orderCommand, READ_TALLY_COMMAND } from './server-command.ts';
import { whenListening } from './when-listening.ts';

export interface NodeDiskParts {
  readonly name: string;
  readonly url: string;
  readonly probe: DiskProbe;
  readonly server: Dockerode.Container;
  /** Has the volume with the files too, and runs whatever becomes of the server. */
  readonly holder: Dockerode.Container;
  /** What a healed disk does: nothing, unless it is synthetic. */
  readonly base: DiskFault;
}

export class NodeDisk {
  readonly #parts: NodeDiskParts;
  /** What is wanted: a disk starts sound, or as its base, with the server's container. */
  #fsyncDelayMs = 0;
  #fault: DiskFault;

  constructor(parts: NodeDiskParts) {
    this.#parts = parts;
    this.#fault = parts.base;
  }

  /** Call before the server is started: a fault that it must not miss lies ready for its disk. */
  async starting(): Promise<void> {
    if (this.#fault.type !== 'rot') return;
    await this.#run(orderCommand(JSON.stringify(this.#fault)), [0]);
  }

  /** Call when the server was started: some tens of ms later the disk does what is wanted. */
  async started(): Promise<void> {
    if (this.#fsyncDelayMs > 0) await this.#apply('delay');
    if (this.#fault.type !== this.#parts.base.type) await this.#apply('fault');
  }

  /** Call when the server was thawed. Not only then: an earlier call may have failed. */
  async resumed(): Promise<void> {
    if (!this.#parts.probe.available) return;
    await this.#apply('delay');
    await this.#apply('fault');
  }

  /** Call before the server is killed: a lie only shows when the power goes. */
  async dying(): Promise<void> {
    if (this.#fault.type !== 'lie') return;
    await this.#failPower({ keeps: 'nothing', seed: 0 }).catch((error: unknown) => {
      // It is dead or paused already.
      if (!(error instanceof ClusterError)) throw error;
    });
  }

  async setFsyncDelay(delayMs: number): Promise<void> {
    if (!(delayMs >= 0)) throw new ClusterError(`an fsync delay of ${delayMs} ms`);
    if (delayMs === 0 && !this.#parts.probe.available) return;
    this.#requireDisk();
    this.#fsyncDelayMs = delayMs;
    await this.#apply('delay');
  }

  async setFault(fault: DiskFault): Promise<void> {
    if (fault.type === 'none' && !this.#parts.probe.available) return;
    this.#requireDisk();
    this.#fault = fault.type === 'none' ? this.#parts.base : fault;
    await this.#apply('fault');
  }

  async counter(): Promise<DiskCounter> {
    const url = `${this.#parts.url}/counters`;
    const { syncs, delayedSyncs, delayedMeanMs, delayedWrites, delayedWriteMeanMs } = numbersIn(
      await controlDone({ method: 'GET', url }),
    );
    if (syncs === undefined || delayedSyncs === undefined || delayedMeanMs === undefined) {
      throw new ClusterError(`${url}: not a disk counter`);
    }
    return { syncs, delayedSyncs, delayedMeanMs, delayedWrites, delayedWriteMeanMs };
  }

  /** Asks the disk, or reads what a dead one has left. */
  async tally(): Promise<DiskFaultTally> {
    this.#requireDisk();
    if (await this.#listens()) {
      try {
        const url = `${this.#parts.url}/tally`;
        return parseTally((await controlDone({ method: 'GET', url })).text);
      } catch (error) {
        // It may have died meanwhile.
        if (!(error instanceof ClusterError) || (await this.#listens())) throw error;
      }
    }
    return parseTally(await this.#run(READ_TALLY_COMMAND, [0, 1]));
  }

  /** Of a node that is dead. Undefined: there is nothing to damage. */
  async damage(how: 'bit-rot' | 'misdirected-write', seed: string): Promise<string | undefined> {
    this.#requireDisk();
    const said = await this.#run(damageCommand(how, seed), [0]);
    return said.trim() || undefined;
  }

  /** The server hangs on its disk from then on: kill it. */
  async failPower(loss: PowerLoss): Promise<PowerLossReport> {
    this.#requireDisk();
    return this.#failPower(loss);
  }

  async #failPower(loss: PowerLoss): Promise<PowerLossReport> {
    const url = `${this.#parts.url}/power-failure`;
    const { changes, bytes, torn, names } = numbersIn(
      await controlDone({ method: 'POST', url, body: loss }),
    );
    if ([changes, bytes, torn, names].includes(undefined)) {
      throw new ClusterError(`${url}: no report of a loss`);
    }
    return { changes: changes!, bytes: bytes!, torn: torn!, names: names! };
  }

  #requireDisk(): void {
    const { name, probe } = this.#parts;
    if (!probe.available) throw new ClusterError(`${name} has no disk of ours: ${probe.reason}`);
  }

  async #listens(): Promise<boolean> {
    const { Running, Paused } = (await this.#parts.server.inspect()).State;
    return Running && !Paused;
  }

  /** A dead or paused disk gets its orders when it is back. */
  async #apply(what: 'delay' | 'fault'): Promise<void> {
    // What is wanted may change while the disk does not listen.
    const call = (): ControlCall =>
      what === 'delay'
        ? {
            method: 'PUT',
            url: `${this.#parts.url}/fsync-delay`,
            body: { delayMs: this.#fsyncDelayMs },
          }
        : { method: 'PUT', url: `${this.#parts.url}/fault`, body: this.#fault };
    const answer = await whenListening(
      async (): Promise<ControlAnswer | undefined> =>
        (await this.#listens()) ? controlCall(call()) : undefined,
    );
    if (answer !== undefined) requireDone(call(), answer);
  }

  /** What a command beside the server says; needs the volume with the files. */
  async runBeside(command: readonly string[]): Promise<string> {
    this.#requireDisk();
    return this.#run(command, [0]);
  }

  #run(command: readonly string[], exitCodes: readonly number[]): Promise<string> {
    return runInHolder(this.#parts, command, exitCodes);
  }
}

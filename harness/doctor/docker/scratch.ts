/**
 * What the docker probes may hurt: a pod as a member has it, and a peer in the same network. All
 * labelled like a run, so that a killed doctor's are swept like a killed run's.
 */

import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import type { Target } from '../../cluster/cluster.ts';
import { connectDaemon, type Daemon, tolerate } from '../../cluster/docker/daemon.ts';
import { ensureImage } from '../../cluster/docker/image.ts';
import { demuxLogs } from '../../cluster/docker/log-frames.ts';
import { createNetwork } from '../../cluster/docker/network.ts';
import { currentOwner, type Labels, runLabels } from '../../cluster/docker/owner.ts';
import type { Holder } from '../../cluster/docker/pod.ts';
import { PORTS } from '../../cluster/docker/server-command.ts';
import { removeRun } from '../../cluster/docker/sweep.ts';
import { waitUntil } from '../../timing.ts';
import { insideCommand } from '../inside-program.ts';
import type { Bench } from '../probe.ts';

/** How long the server in the pod may take to answer: after a start, a resume, a heal. */
const ANSWER_MS_MAX = 10_000;
const ANSWER_POLL_MS = 20;
/** A server that has not answered by then is taken to be silent. */
export const SILENCE_MS = 500;

export interface Pod {
  readonly holder: Holder;
  /** Answers on the holder's client port. */
  readonly server: Dockerode.Container;
  /** Answers on {@link PORTS.client} of its own address; has no published port. */
  readonly peer: Dockerode.Container;
  readonly peerIp: string;
  readonly network: string;
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class DockerScratch {
  readonly bench: Bench;
  readonly daemon: Daemon;
  readonly image: string;
  #pod: Promise<Pod> | undefined;
  #made = 0;

  private constructor(bench: Bench, daemon: Daemon, image: string) {
    this.bench = bench;
    this.daemon = daemon;
    this.image = image;
  }

  /** Builds the image of the members when it is not there. Throws ClusterError. */
  static async open(
    bench: Bench,
    target: Target,
    onProgress: (line: string) => void,
  ): Promise<DockerScratch> {
    const daemon = await connectDaemon();
    const { name } = await ensureImage(daemon.docker, target, onProgress);
    return new DockerScratch(bench, daemon, name);
  }

  /** Made at the first call and after {@link discard}. */
  pod(): Promise<Pod> {
    this.#pod ??= this.#makePod();
    return this.#pod;
  }

  /** Removes everything, whatever state it is in. */
  async discard(): Promise<void> {
    this.#pod = undefined;
    await removeRun(this.bench.runId);
  }

  /** Runs a program in a running container to its end. */
  async exec(
    containerId: string,
    command: readonly string[],
    environment: readonly string[] = [],
  ): Promise<Ended> {
    const exec = await this.daemon.docker.getContainer(containerId).exec({
      Cmd: [...command],
      Env: [...environment],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: false });
    const [out, err] = [new PassThrough(), new PassThrough()];
    this.daemon.docker.modem.demuxStream(stream, out, err);
    stream.on('close', () => {
      out.end();
      err.end();
    });
    const [stdout, stderr] = await Promise.all([text(out), text(err)]);
    const { ExitCode } = await exec.inspect();
    return { exitCode: ExitCode ?? -1, stdout, stderr };
  }

  /**
   * Runs a command in a container of its own, without a network, and removes it. Throws what the
   * daemon says when it refuses to make or start it.
   */
  async runOnce(
    command: readonly string[],
    rights: Dockerode.HostConfig,
    signal: AbortSignal,
  ): Promise<Ended & { readonly oomKilled: boolean }> {
    const container = await this.#create('once', command, { ...rights, NetworkMode: 'none' });
    try {
      await container.start();
      const { StatusCode } = (await container.wait({ abortSignal: signal })) as {
        readonly StatusCode: number;
      };
      const { State } = await container.inspect();
      const stdout = demuxLogs(await container.logs({ stdout: true })).toString();
      const stderr = demuxLogs(await container.logs({ stderr: true })).toString();
      return { exitCode: StatusCode, stdout, stderr, oomKilled: State.OOMKilled };
    } finally {
      await remove(container);
    }
  }

  /** The pid in its container of the server that answers now; undefined: silent for 500 ms. */
  async ask({ holder }: Pod): Promise<string | undefined> {
    try {
      const signal = AbortSignal.timeout(SILENCE_MS);
      const answer = await fetch(`http://${holder.host}:${holder.clientPort}/`, { signal });
      return await answer.text();
    } catch {
      return undefined;
    }
  }

  /** Resolves with the time in ms until the server answered; throws when it never does. */
  async untilAnswers(pod: Pod, signal: AbortSignal): Promise<number> {
    const { clock } = this.bench;
    const startNs = clock.nowNs();
    const limits = { intervalMs: ANSWER_POLL_MS, limitMs: ANSWER_MS_MAX, signal };
    const answers = await waitUntil(clock, limits, async () => (await this.ask(pod)) !== undefined);
    if (!answers) throw new Error('the scratch server does not answer');
    return (clock.nowNs() - startNs) / 1e6;
  }

  async #makePod(): Promise<Pod> {
    const { startHolder, startServer } = await import('../../cluster/docker/pod.ts');
    const name = this.#name('net');
    await createNetwork(this.daemon.docker, name, this.#labels());
    const answer = insideCommand('node', 'answer', [String(PORTS.client)]);
    const part = (which: string) => ({
      image: this.image,
      containerName: this.#name(which),
      labels: this.#labels(),
    });
    const calls = [
      startHolder(part('holder'), { hostname: 'doctor', network: name }),
      this.#create('peer', answer, { NetworkMode: name }),
    ] as const;
    // When one fails the other has ended too: discarding must miss nothing.
    await Promise.allSettled(calls);
    const [holder, peer] = await Promise.all(calls);
    await peer.start();
    const server = await startServer(part('server'), {
      holderId: holder.id,
      command: answer,
      fuse: false,
    });
    const { NetworkSettings } = await peer.inspect();
    const peerIp = NetworkSettings.Networks[name]?.IPAddress ?? '';
    return {
      holder,
      server: this.daemon.docker.getContainer(server),
      peer,
      peerIp,
      network: name,
    };
  }

  #create(
    which: string,
    command: readonly string[],
    hostConfig: Dockerode.HostConfig,
  ): Promise<Dockerode.Container> {
    return this.daemon.docker.createContainer({
      name: this.#name(which),
      Image: this.image,
      Cmd: [...command],
      Labels: this.#labels(),
      HostConfig: { Init: true, ...hostConfig },
    });
  }

  #labels(): Labels {
    return runLabels(this.bench.runId, currentOwner());
  }

  /** Never the same twice: what was discarded may still be on its way out. */
  #name(which: string): string {
    this.#made++;
    return `storm-${this.bench.runId}-${which}-${this.#made}`;
  }
}

async function remove(container: Dockerode.Container): Promise<void> {
  await tolerate('removing a scratch container', [404, 409], () =>
    container.remove({ force: true, v: true }),
  );
}

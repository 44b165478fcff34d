/** The failpoints of one docker node: its endpoint is on the loopback of the pod. */

import type Dockerode from 'dockerode';
import type { ClusterConfig } from '../cluster.ts';
import {
  type FailpointReply,
  type FailpointRequest,
  failpointEnvironment,
  hasFailpoints,
} from '../failpoint-control.ts';
import { tolerate } from './daemon.ts';
import { demuxLogs } from './log-frames.ts';
import { runInHolder } from './run-in-holder.ts';

const FAILPOINT_PORT = 7074;

/** Of a log: the end of a life is what is asked for. */
const TAIL_LINES = 200;

/** Asks, and prints the reply; nothing if nobody answers. */
const ASK = `const [url, method, body] = process.argv.slice(1);
fetch(url, { method, signal: AbortSignal.timeout(3000), ...(body && { body }) })
  .then(async (reply) => JSON.stringify({ status: reply.status, body: await reply.text() }))
  .then((line) => process.stdout.write(line), () => undefined);`;

/** The command of a server, with an endpoint if the run asks for it. */
export function withFailpoints(
  config: ClusterConfig,
  command: readonly string[],
): readonly string[] {
  if (!hasFailpoints(config)) return command;
  const variables = Object.entries(failpointEnvironment(FAILPOINT_PORT));
  return ['env', ...variables.map(([name, value]) => `${name}=${value}`), ...command];
}

export class NodeFailpoints {
  readonly #name: string;
  readonly #holder: Dockerode.Container;
  readonly #server: Dockerode.Container;

  constructor(name: string, holder: Dockerode.Container, server: Dockerode.Container) {
    this.#name = name;
    this.#holder = holder;
    this.#server = server;
  }

  async request({
    method,
    path,
    body = '',
  }: FailpointRequest): Promise<FailpointReply | undefined> {
    const url = `http://127.0.0.1:${FAILPOINT_PORT}/${path}`;
    const parts = { name: this.#name, holder: this.#holder };
    const said = await runInHolder(parts, ['node', '-e', ASK, url, method, body]);
    return said === '' ? undefined : (JSON.parse(said) as FailpointReply);
  }

  async logTail(): Promise<string> {
    let tail = '';
    await tolerate(`reading the log of ${this.#name}`, [], async () => {
      const { StartedAt } = (await this.#server.inspect()).State;
      const since = Math.floor(Date.parse(StartedAt) / 1_000);
      const logs = { stdout: true, stderr: true, since, tail: TAIL_LINES };
      tail = demuxLogs(await this.#server.logs(logs)).toString();
    });
    return tail;
  }
}

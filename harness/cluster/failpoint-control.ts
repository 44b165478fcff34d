/**
 * Failpoints of real members: servers started with `GOFAIL_HTTP` let anybody make them die or wait
 * at a named point of their code. Ours can do it (docs/failpoints.md), and an etcd that was built
 * with failpoints; the usual packages of etcd are not.
 */

import { readFileSync } from 'node:fs';
import type { FailpointName } from '../../src/ports/failpoints.ts';
import { type CapabilityReport, ClusterError, type Target } from './cluster.ts';
import type { Instrument } from './resource-control.ts';

export interface FailpointControl {
  /** In gofail's language. Rejects with ClusterError on a node that does not run or take it. */
  set(node: string, point: FailpointName, terms: string): Promise<void>;
  /** Fine where nothing is set, and on a node that does not answer, which forgets it all anyway. */
  clear(node: string, point: FailpointName): Promise<void>;
  /** At how many hits it did something since it was set; undefined: nobody answers. */
  count(node: string, point: FailpointName): Promise<number | undefined>;
  /** The line with which the node's server ended at a failpoint, since it was started last. */
  panicLine(node: string): Promise<string | undefined>;
}

/** How a backend reaches a node's endpoint and its log. */
export interface FailpointAccess {
  /** Undefined: nobody answered. Rejects with ClusterError if there is no such node. */
  request(node: string, request: FailpointRequest): Promise<FailpointReply | undefined>;
  /** What the server has written since its last start, as far as the last lines go. */
  logTail(node: string): Promise<string>;
}

export interface FailpointRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Without the leading slash. */
  readonly path: string;
  readonly body?: string;
}

export interface FailpointReply {
  readonly status: number;
  readonly body: string;
}

export class Failpoints implements FailpointControl {
  readonly #access: FailpointAccess;

  constructor(access: FailpointAccess) {
    this.#access = access;
  }

  async set(node: string, point: FailpointName, terms: string): Promise<void> {
    const reply = await this.#access.request(node, { method: 'PUT', path: point, body: terms });
    if (reply?.status === 204) return;
    const why = reply === undefined ? 'its endpoint does not answer' : reply.body.trim();
    throw new ClusterError(`cannot set ${point} of ${node}: ${why}`);
  }

  async clear(node: string, point: FailpointName): Promise<void> {
    await this.#access.request(node, { method: 'DELETE', path: point });
  }

  async count(node: string, point: FailpointName): Promise<number | undefined> {
    const reply = await this.#access.request(node, { method: 'GET', path: `${point}/count` });
    return reply?.status === 200 ? Number(reply.body) : undefined;
  }

  async panicLine(node: string): Promise<string | undefined> {
    const lines = (await this.#access.logTail(node)).split('\n');
    return lines.findLast((line) => line.startsWith('panic: failpoint panic: '));
  }
}

/** A member that sleeps at a point holds its answers up as well. */
const REPLY_MS_MAX = 3_000;

/** Over HTTP, from here. */
export async function requestFailpoint(
  base: string,
  { method, path, body }: FailpointRequest,
): Promise<FailpointReply | undefined> {
  const signal = AbortSignal.timeout(REPLY_MS_MAX);
  try {
    const init = body === undefined ? { method, signal } : { method, signal, body };
    const response = await fetch(`${base}/${path}`, init);
    return { status: response.status, body: await response.text() };
  } catch {
    return undefined;
  }
}

export function hasFailpoints({ instruments }: { instruments?: readonly Instrument[] }): boolean {
  return instruments?.includes('failpoints') === true;
}

/** What a server is started with that is to have failpoints, at this port of the loopback. */
export function failpointEnvironment(port: number | undefined): Readonly<Record<string, string>> {
  return port === undefined ? {} : { GOFAIL_HTTP: `127.0.0.1:${port}` };
}

/** What a backend says of them; `how`: it reaches the endpoint. */
export function failpointReport(
  config: { readonly target: Target; readonly instruments?: readonly Instrument[] },
  how: string,
): CapabilityReport {
  const capability = 'failpoints';
  const problem = whyNone(config.target);
  if (problem !== undefined) return { capability, available: false, detail: problem };
  if (hasFailpoints(config)) return { capability, available: true, detail: how };
  const detail = 'members are made ready for it only when asked: --faults failpoint';
  return { capability, available: false, detail };
}

/** Failpoints are in the binary or not: those that are read this variable. */
const MARK = 'GOFAIL_FAILPOINTS';

function whyNone(target: Target): string | undefined {
  if (target.kind === 'stormraft') return undefined;
  try {
    if (readFileSync(target.path).includes(MARK)) return undefined;
  } catch (error) {
    return `${target.path} cannot be read: ${String(error)}`;
  }
  return `${target.path} was built without failpoints; give one that was built with gofail`;
}

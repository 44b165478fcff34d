/**
 * The disk's control port, HTTP:
 *
 *   PUT /fsync-delay {"delayMs": N}   adds N ms to every fsync from now on → 204
 *   GET /counters                     → 200 {"syncs", "delayedSyncs", "delayedMeanMs"}
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { FSYNC_DELAY_MS_MAX, type SyncGate } from './sync-gate.ts';

/** Larger request bodies are refused. */
const BODY_BYTES_MAX = 1024;

/** Resolves when the port listens. */
export function listenForControl(
  gate: SyncGate,
  address: { readonly host: string; readonly port: number },
): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer((request, response) => {
    handle(gate, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.once('error', reject);
  server.listen(address.port, address.host, () => resolve(server));
  return promise;
}

async function handle(
  gate: SyncGate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /counters') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(gate.counters()));
    return;
  }
  if (route !== 'PUT /fsync-delay') {
    response.writeHead(404).end(`no such control: ${route}\n`);
    return;
  }
  const delayMs = await readDelay(request);
  if (delayMs === undefined) {
    response.writeHead(400).end(`wants {"delayMs": 0..${FSYNC_DELAY_MS_MAX}}\n`);
    return;
  }
  gate.setDelay(delayMs);
  response.writeHead(204).end();
}

async function readDelay(request: IncomingMessage): Promise<number | undefined> {
  if (!(Number(request.headers['content-length']) <= BODY_BYTES_MAX)) return undefined;
  const body = await text(request);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || !('delayMs' in parsed)) return undefined;
  return isDelay(parsed.delayMs) ? parsed.delayMs : undefined;
}

/** Whether `value` is a delay in ms that the disk accepts. */
export function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= FSYNC_DELAY_MS_MAX;
}

/**
 * The disk's control port, HTTP:
 *
 *   PUT /fsync-delay {"delayMs": N}   adds N ms to every fsync from now on → 204
 *   PUT /fault {"type": …}            replaces the fault (`DiskFault`) → 204
 *   POST /power-failure {"keeps": …, "seed": N}
 *                                     takes what was not synced and answers no file operation
 *                                     any more → 200 `PowerLossReport`; 409 if this disk cannot
 *   GET /counters                     → 200 `DiskCounter`, since the disk was mounted
 *   GET /tally                        → 200 `DiskFaultTally`, since its first mount
 *
 * 400 with a line that says what is wanted for bodies that are something else, 404 for other paths.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { DELAY_MS_MAX } from './latency.ts';
import { type Disk, failPower } from './operations/disk.ts';
import { parseFault, parsePowerLoss } from './orders.ts';

/** Larger request bodies are refused. */
const BODY_BYTES_MAX = 1024;

/** Resolves when the port listens. */
export function listenForControl(
  disk: Disk,
  address: { readonly host: string; readonly port: number },
): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer((request, response) => {
    handle(disk, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.once('error', reject);
  server.listen(address.port, address.host, () => resolve(server));
  return promise;
}

async function handle(
  disk: Disk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  switch (route) {
    case 'GET /counters':
      answer(response, { ...disk.gate.counters(), ...disk.faults.writeDelays() });
      break;
    case 'GET /tally':
      answer(response, disk.faults.tally());
      break;
    case 'PUT /fsync-delay':
      setDelay(disk, await readBody(request), response);
      break;
    case 'PUT /fault':
      setFault(disk, await readBody(request), response);
      break;
    case 'POST /power-failure':
      takePower(disk, await readBody(request), response);
      break;
    default:
      response.writeHead(404).end(`no such control: ${route}\n`);
  }
}

function setDelay(disk: Disk, body: unknown, response: ServerResponse): void {
  const isObject = typeof body === 'object' && body !== null && 'delayMs' in body;
  if (!isObject || !isDelay(body.delayMs)) {
    response.writeHead(400).end(`wants {"delayMs": 0..${DELAY_MS_MAX}}\n`);
    return;
  }
  disk.gate.setDelay(body.delayMs);
  response.writeHead(204).end();
}

function setFault(disk: Disk, body: unknown, response: ServerResponse): void {
  const fault = parseFault(body);
  if (fault === undefined) {
    response.writeHead(400).end('wants a fault: {"type": "none"}, …\n');
    return;
  }
  disk.faults.set(fault);
  if (disk.journal !== undefined) disk.journal.isLying = fault.type === 'lie';
  response.writeHead(204).end();
}

function takePower(disk: Disk, body: unknown, response: ServerResponse): void {
  const loss = parsePowerLoss(body);
  if (loss === undefined) {
    response.writeHead(400).end('wants {"keeps": "nothing"|"some"|"torn", "seed": N}\n');
    return;
  }
  const report = failPower(disk, loss);
  if (report === undefined) response.writeHead(409).end('no power to fail here\n');
  else answer(response, report);
}

function answer(response: ServerResponse, value: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
}

/** Undefined if it is too long or no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  if (!(Number(request.headers['content-length']) <= BODY_BYTES_MAX)) return undefined;
  try {
    return JSON.parse(await text(request));
  } catch {
    return undefined;
  }
}

/** Whether `value` is a delay in ms that the disk accepts. */
export function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= DELAY_MS_MAX;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Result } from '../../lib/result.ts';
import type { FailpointProblem, FailpointRegistry } from './registry.ts';

/**
 * gofail's HTTP interface, as etcd's own tools use it:
 *
 *     GET    /             all points, a line `name=terms` each
 *     GET    /NAME         its terms; 404 if nothing is set
 *     GET    /NAME/count   at how many hits it did something; 404: no such point, 500: nothing set
 *     PUT    /NAME         body: terms; 204, or 400 with one line
 *     PUT    /failpoints   body: `name=terms;name=terms`, all or none
 *     DELETE /NAME         204; 400 if nothing is set
 */
export class FailpointFront {
  readonly #server: Server;

  constructor(registry: FailpointRegistry, onChange: (what: FailpointChange) => void) {
    this.#server = createServer((request, response) => {
      handle(registry, request, onChange).then(
        (reply) => send(response, reply),
        () => response.destroy(),
      );
    });
  }

  /** Empty host: on all addresses. Rejects with the system's error. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: host === '' ? undefined : host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** The port that was had, if the system chose it. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** What somebody has set, or taken back if there are no terms. */
export interface FailpointChange {
  readonly name: string;
  readonly terms: string | undefined;
}

interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly allow?: string;
}

const BODY_BYTES_MAX = 64 * 1024;

async function handle(
  registry: FailpointRegistry,
  request: IncomingMessage,
  onChange: (what: FailpointChange) => void,
): Promise<Reply> {
  const name = (request.url ?? '/').slice(1);
  switch (request.method) {
    case 'GET':
      return read(registry, name);
    case 'PUT': {
      const terms = await bodyOf(request);
      if (terms === undefined) return refusal(400, `more than ${BODY_BYTES_MAX} bytes`);
      const isSeveral = name.toLowerCase() === 'failpoints';
      const set = isSeveral ? registry.enableAssigned(terms) : registry.enable(name, terms);
      if (set.ok) onChange({ name, terms });
      return done(set);
    }
    case 'DELETE': {
      const removed = registry.disable(name);
      if (removed.ok) onChange({ name, terms: undefined });
      return done(removed);
    }
    default:
      return { ...refusal(405, 'use GET, PUT or DELETE'), allow: 'DELETE, GET, PUT' };
  }
}

function read(registry: FailpointRegistry, path: string): Reply {
  if (path === '') {
    const lines = registry.list().map(([name, terms]) => `${name}=${terms}\n`);
    return { status: 200, body: lines.join('') };
  }
  const isCount = path.endsWith('/count');
  const status = registry.status(isCount ? path.slice(0, -'/count'.length) : path);
  if (!status.ok) {
    const { kind, message } = status.error;
    return refusal(isCount && kind === 'disabled' ? 500 : 404, message);
  }
  return { status: 200, body: isCount ? String(status.value.count) : `${status.value.terms}\n` };
}

function done(result: Result<undefined, FailpointProblem>): Reply {
  return result.ok ? { status: 204 } : refusal(400, result.error.message);
}

function refusal(status: number, message: string): Reply {
  return { status, body: `${message}\n` };
}

/** Undefined: too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Written at once: the point may be hit, and end the process, in the very next turn. */
function send(response: ServerResponse, { status, body, allow }: Reply): void {
  const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' };
  if (allow !== undefined) headers.allow = allow;
  response.writeHead(status, status === 204 ? {} : headers);
  response.end(body);
}

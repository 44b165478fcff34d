import type { Socket } from 'node:net';

/**
 * The pages that etcd's members show each other over HTTP/1.1, `/members` and `/version`, on the
 * peer port beside our own lanes: one request a connection, no body, no keep-alive. A member that
 * joins learns from them who is there before it has an id.
 */
export interface PeerPage {
  readonly status: 200 | 404 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const REASON = { 200: 'OK', 404: 'Not Found', 503: 'Service Unavailable' } as const;

/** `line` is the first of the request; what follows it does not matter. */
export function answerPage(socket: Socket, line: string, page: (path: string) => PeerPage): void {
  const path = line.split(' ')[1] ?? '/';
  const { status, headers, body } = page(path.split('?')[0]!);
  const lines = [
    `HTTP/1.1 ${status} ${REASON[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    '',
  ];
  socket.resume();
  socket.end(lines.join('\r\n') + body);
}

/** Passes calls on to the clock of the server in the same network namespace. */

import { request as dial, type IncomingMessage, type ServerResponse } from 'node:http';

const CALL_TIMEOUT_MS = 2_000;

/** 502: no server with such a clock listens. */
export function forwardToClock(
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method, headers } = request;
  const to = { method, headers, port, host: '127.0.0.1', path: '/clock', agent: false } as const;
  const call = dial({ ...to, timeout: CALL_TIMEOUT_MS }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' });
    answer.pipe(response);
  });
  call.on('timeout', () => call.destroy(new Error('the clock is silent')));
  call.on('error', (error) => {
    if (!response.headersSent) response.writeHead(502);
    response.end(JSON.stringify({ error: error.message }));
  });
  request.pipe(call);
}

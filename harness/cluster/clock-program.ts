/**
 * Loaded into a server before its own code (`node --import`), for faults of its clock: tells what
 * the wall clock is in there, and moves it. The mechanism is libfaketime, which takes its orders
 * from a file; this program writes it, because only from inside it can be told to the millisecond
 * what an order came to.
 *
 *   GET /clock   {"wallMs": 1760000000000}
 *   PUT /clock   {"offsetMs": -60000, "driftPercent": 50}: off by so much from now on, and drifting
 *
 * Environment: STORM_CLOCK_FILE, the file of libfaketime; STORM_CLOCK_PORT, on the loopback, where
 * 0 is any: FILE.port then has it.
 */

import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isMainThread } from 'node:worker_threads';

/** The first order may be off by what has drifted since the start; the second is not. */
const CORRECTIONS_MAX = 4;
const EXACT_MS = 1;

const file = process.env.STORM_CLOCK_FILE;
const port = process.env.STORM_CLOCK_PORT;
if (isMainThread && file !== undefined && port !== undefined) serve(file, Number(port));

function serve(orders: string, listenPort: number): void {
  // What a former life was told is not for this one.
  order(orders, 0, 1);
  const [startWallMs, startMs] = [Date.now(), performance.now()];
  const realMs = (): number => startWallMs + (performance.now() - startMs);
  const move = (offsetMs: number, rate: number): void => {
    let orderedMs = offsetMs;
    for (let correction = 0; correction < CORRECTIONS_MAX; correction++) {
      order(orders, orderedMs, rate);
      const errorMs = Date.now() - (realMs() + offsetMs);
      if (Math.abs(errorMs) <= EXACT_MS) return;
      orderedMs -= errorMs;
    }
  };
  const server = createServer(async (request, response) => {
    response.sendDate = false;
    if (request.method === 'PUT') {
      const { offsetMs, driftPercent } = JSON.parse(await text(request)) as Record<string, unknown>;
      if (typeof offsetMs !== 'number' || typeof driftPercent !== 'number') {
        response.writeHead(400).end();
        return;
      }
      move(offsetMs, 1 + driftPercent / 100);
    }
    response.end(JSON.stringify({ wallMs: Date.now() }));
  });
  server.listen(listenPort, '127.0.0.1', () => {
    if (listenPort === 0) replace(`${orders}.port`, `${(server.address() as AddressInfo).port}\n`);
  });
  // Whether the server lives is not its business.
  server.unref();
}

function order(orders: string, offsetMs: number, rate: number): void {
  const seconds = offsetMs / 1000;
  replace(orders, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(3)} x${rate}\n`);
}

/** In one step: other threads read it at every look at the clock. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.next`, content);
  renameSync(`${path}.next`, path);
}

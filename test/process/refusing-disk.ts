/**
 * Stands in for `unshare` and the disk behind it in `member.test.ts`: listens on the control
 * port of the command line, answers counters, and refuses the first fsync delay it is given.
 * `delayedMeanMs` tells the delay that it took.
 */

import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const control = process.argv.find((argument) => argument.startsWith('--control='))!;
let refusals = 1;
let delayedMeanMs = 0;

createServer(async (request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ syncs: 0, delayedSyncs: 0, delayedMeanMs }));
  } else if (request.url !== '/fsync-delay') {
    response.end();
  } else if (refusals-- > 0) {
    response.writeHead(500).end();
  } else {
    const order = (await json(request)) as { readonly delayMs: number };
    delayedMeanMs = order.delayMs;
    response.end();
  }
}).listen(Number(control.split(':').at(-1)), '127.0.0.1');

/**
 * Runs inside a container, or as a process: a server to hurt. Answers every request with its pid.
 * Handed to `node -e` as text. Argument: `[HOST:]PORT`; prints `ready` when it listens.
 */

import { createServer } from 'node:http';

const [port, host = '0.0.0.0'] = (process.argv[1] ?? '').split(':').reverse();
createServer((_, response) => response.end(String(process.pid))).listen(Number(port), host, () => {
  process.stdout.write('ready\n');
});

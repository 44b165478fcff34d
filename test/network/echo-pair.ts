/**
 * Two ends of a TCP connection that measure it: one answers `!` to every `?`, the other times it.
 * Plain JavaScript in text, so that both can run here and in a container with `node -e`.
 */

/** Arguments: port. */
export const ECHO_SCRIPT: string = `
require('node:net').createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(63); at !== -1; at = chunk.indexOf(63, at + 1)) socket.write('!');
  });
}).listen(Number(process.argv[1]), '0.0.0.0');
`;

/** Arguments: host, port, number of round trips, bytes in bulk. Prints an {@link EchoResult}. */
export const PROBE_SCRIPT: string = `
const [host, port, count, bulkBytes] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port), noDelay: true });
let wake = () => undefined;
socket.on('data', () => wake());
socket.on('error', (error) => { console.error(error.message); process.exit(1); });
const ask = async (before) => {
  const startMs = performance.now();
  const answered = new Promise((resolve) => { wake = resolve; });
  if (before !== undefined) socket.write(before);
  socket.write('?');
  await answered;
  return performance.now() - startMs;
};
(async () => {
  socket.write('STORMRAFT/1 c 1 2 log\\n');
  await ask();
  const rttsMs = [];
  for (let at = 0; at < Number(count); at++) rttsMs.push(await ask());
  const bulk = Number(bulkBytes);
  const bulkMs = bulk > 0 ? await ask(Buffer.alloc(bulk, 'x')) : 0;
  console.log(JSON.stringify({ rttsMs, bulkMs }));
  process.exit(0);
})();
`;

export interface EchoResult {
  readonly rttsMs: readonly number[];
  readonly bulkMs: number;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

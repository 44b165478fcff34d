/**
 * Runs inside a container: does nat REDIRECT take a connection to another port, and does it spare
 * those of one user? That user would be the proxy, whose own connections must get through.
 * Handed to `node -e` as text. Arguments: `iptables`, or another program of its family. Prints
 * `{"others": "B", "spared": "A"}`: who answered; or `{"error": "…"}`.
 *
 * With `--dial PORT` it prints who answers there.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

const CHAIN = 'STORM_DOCTOR';
const SPARED_UID = 4242;
const DIAL_MS_MAX = 3_000;

const [first = 'iptables', port] = process.argv.slice(1);
if (first === '--dial') process.stdout.write(await whoAnswers(Number(port)));
else process.stdout.write(JSON.stringify(await perform(first)));
process.exit(0);

async function perform(iptables: string): Promise<unknown> {
  const [a, b] = await Promise.all([listen('A'), listen('B')]);
  const nat = (rule: string): void => run(iptables, ['-w', '-t', 'nat', ...rule.split(' ')]);
  try {
    nat(`-N ${CHAIN}`);
    nat(`-I OUTPUT -j ${CHAIN}`);
    const match = `-p tcp --dport ${a} -m owner ! --uid-owner ${SPARED_UID}`;
    nat(`-A ${CHAIN} ${match} -j REDIRECT --to-ports ${b}`);
    return { others: await whoAnswers(a), spared: await asSpared(a) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    for (const rule of [`-D OUTPUT -j ${CHAIN}`, `-F ${CHAIN}`, `-X ${CHAIN}`]) {
      try {
        nat(rule);
      } catch {
        // It was never made.
      }
    }
  }
}

async function listen(name: string): Promise<number> {
  const server = createServer((socket) => socket.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function whoAnswers(at: number): Promise<string> {
  const socket = connect({ port: at, host: '127.0.0.1' });
  try {
    const [chunk] = await once(socket, 'data', { signal: AbortSignal.timeout(DIAL_MS_MAX) });
    return String(chunk);
  } catch {
    return 'nobody';
  } finally {
    socket.destroy();
  }
}

/** This same program as another user: `execArgv` holds its text. */
async function asSpared(at: number): Promise<string> {
  const child = spawn(process.execPath, [...process.execArgv, '--', '--dial', String(at)], {
    uid: SPARED_UID,
    gid: SPARED_UID,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, 'close');
  return said;
}

function run(program: string, parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim().split('\n')[0]);
}

/**
 * Runs inside a container: what a packet filter or a queueing discipline does to loopback traffic.
 * Handed to `node -e` as text, so it imports nothing of ours.
 *
 * Its only argument is a {@link Trial} as JSON; it prints an {@link Outcome} as JSON. Whatever
 * happens, the `remove` steps have run when it ends.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Trial {
  readonly measure: 'echo' | 'loss' | 'transfer';
  /** `sh`: every step is a command line of its own. Else: lines for one program that stays. */
  readonly shell: 'sh' | readonly [string, ...string[]];
  /** `PORT` in a step becomes the port of the listener. */
  readonly prepare: readonly string[];
  readonly inject: readonly string[];
  readonly heal: readonly string[];
  readonly remove: readonly string[];
}

/** What the traffic did. `transfer`: bytes per second. `loss`: share of datagrams, 0 to 1. */
export type Sample =
  | { readonly kind: 'answers'; readonly medianMs: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'transfer'; readonly bytesPerSecond: number }
  | { readonly kind: 'loss'; readonly share: number };

export type Outcome =
  | {
      readonly ok: true;
      readonly before: Sample;
      readonly during: Sample;
      readonly after: Sample;
      readonly injectMs: number;
      readonly healMs: number;
    }
  | { readonly ok: false; readonly error: string };

/** Clients come from here, so that a rule can name them without touching anybody else. */
const CLIENT_IP = '127.0.0.9';
const SERVER_IP = '127.0.0.1';
const PINGS = 7;
const SILENCE_MS = 700;
/** Where traffic should flow; after a heal TCP may wait for a retransmission first. */
const HEALED_MS = 4_000;
const DATAGRAMS = 500;
const DATAGRAMS_AT_ONCE = 25;
const TRANSFER_BYTES = 1_500_000;
const TRANSFER_MS_MAX = 5_000;
const STEP_MS_MAX = 5_000;

interface Hands {
  run(steps: readonly string[]): Promise<void>;
  end(): void;
}

async function perform({ measure, shell, ...steps }: Trial): Promise<Outcome> {
  const server = measure === 'transfer' ? createServer(pour) : createServer(echo);
  server.listen(0, SERVER_IP);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const filled = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replaceAll('PORT', String(port)));
  const hands = shell === 'sh' ? new Shell() : new Interpreter(shell);
  try {
    const sampler = await openSampler(measure, server, port);
    const before = await sampler.first();
    await hands.run(filled(steps.prepare));
    const injectMs = await timed(() => hands.run(filled(steps.inject)));
    const during = await sampler.during();
    const healMs = await timed(() => hands.run(filled(steps.heal)));
    return { ok: true, before, during, after: await sampler.last(), injectMs, healMs };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await hands.run(filled(steps.remove)).catch(() => undefined);
    hands.end();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

class Shell implements Hands {
  async run(steps: readonly string[]): Promise<void> {
    for (const step of steps) {
      const { status, stderr, error } = spawnSync('sh', ['-c', step], {
        encoding: 'utf8',
        timeout: STEP_MS_MAX,
      });
      if (status !== 0) throw new Error(error?.message ?? firstLine(stderr) ?? `exit ${status}`);
    }
  }

  end(): void {
    // Every step has ended.
  }
}

/** One `nft -i` for all steps. It is asked to list its tables to know that it has got so far. */
class Interpreter implements Hands {
  readonly #child;
  #failure: string | undefined;
  #printed = '';

  constructor([program, ...parameters]: readonly [string, ...string[]]) {
    this.#child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#failure ??= error.message;
    });
    this.#child.on('exit', (code) => {
      this.#failure ??= `${program} has ended with ${code}`;
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#failure ??= firstLine(chunk.toString());
    });
  }

  async run(steps: readonly string[]): Promise<void> {
    this.#printed = '';
    this.#child.stdin.write([...steps, 'list tables', ''].join('\n'));
    const endMs = performance.now() + STEP_MS_MAX;
    while (!/^table /m.test(this.#printed)) {
      if (this.#failure !== undefined) throw new Error(this.#failure);
      if (performance.now() > endMs) throw new Error('the rules are not there after 5 s');
      await pause(1);
    }
    if (this.#failure !== undefined) throw new Error(this.#failure);
  }

  end(): void {
    this.#child.kill();
  }
}

interface Sampler {
  first(): Promise<Sample>;
  during(): Promise<Sample>;
  last(): Promise<Sample>;
}

async function openSampler(
  measure: Trial['measure'],
  server: Server,
  port: number,
): Promise<Sampler> {
  if (measure === 'loss') return all(() => lossTo(port));
  if (measure === 'transfer') return all(() => transferFrom(port));
  server.unref();
  const early = await dial(port);
  return {
    first: () => pings(early, HEALED_MS),
    // On a connection that was there before: a cut that only refuses new ones is none.
    during: () => pings(early, SILENCE_MS),
    last: async () => pings(await dial(port), HEALED_MS),
  };
}

function all(sample: () => Promise<Sample>): Sampler {
  return { first: sample, during: sample, last: sample };
}

function echo(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}

function pour(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.alloc(TRANSFER_BYTES));
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: SERVER_IP, localAddress: CLIENT_IP });
  socket.setNoDelay(true);
  await once(socket, 'connect', { signal: AbortSignal.timeout(HEALED_MS) });
  socket.on('error', () => socket.destroy());
  return socket;
}

async function pings(socket: Socket, limitMs: number): Promise<Sample> {
  const times: number[] = [];
  for (let sent = 0; sent < PINGS; sent++) {
    if (socket.destroyed) return { kind: 'reset' };
    const startMs = performance.now();
    const answer = Promise.withResolvers<'answer' | 'closed'>();
    const heard = (): void => answer.resolve('answer');
    const closed = (): void => answer.resolve('closed');
    socket.once('data', heard);
    socket.once('close', closed);
    socket.write('x');
    const came = await Promise.race([answer.promise, pause(limitMs)]);
    socket.off('data', heard);
    socket.off('close', closed);
    if (came === 'closed') return { kind: 'reset' };
    if (came === undefined) return { kind: 'silent' };
    times.push(performance.now() - startMs);
  }
  return { kind: 'answers', medianMs: times.sort((a, b) => a - b)[PINGS >> 1] ?? 0 };
}

/** The port is the TCP listener's: nobody else has that number. */
async function lossTo(port: number): Promise<Sample> {
  const [receiver, sender] = [createSocket('udp4'), createSocket('udp4')];
  let received = 0;
  receiver.on('message', () => {
    received++;
  });
  // A refused datagram is a lost one.
  sender.on('error', () => undefined);
  receiver.bind(port, SERVER_IP);
  await once(receiver, 'listening');
  for (let sent = 1; sent <= DATAGRAMS; sent++) {
    sender.send('x', port, SERVER_IP, () => undefined);
    if (sent % DATAGRAMS_AT_ONCE === 0) await pause(2);
  }
  await pause(100);
  receiver.close();
  sender.close();
  return { kind: 'loss', share: 1 - received / DATAGRAMS };
}

async function transferFrom(port: number): Promise<Sample> {
  const startMs = performance.now();
  const socket = connect({ port, host: SERVER_IP, localAddress: CLIENT_IP });
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  const ended = Promise.withResolvers<void>();
  socket.on('end', ended.resolve);
  socket.on('error', ended.reject);
  await Promise.race([ended.promise, pause(TRANSFER_MS_MAX)]);
  socket.destroy();
  return { kind: 'transfer', bytesPerSecond: (bytes * 1000) / (performance.now() - startMs) };
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

function firstLine(text: string): string | undefined {
  return text.trim().split('\n')[0] || undefined;
}

const trial = JSON.parse(process.argv[1] ?? '{}') as Trial;
process.stdout.write(JSON.stringify(await perform(trial)));
process.exit(0);

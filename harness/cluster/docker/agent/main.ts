/**
 * The fault agent: the only process of a node's holder container. It owns the packet filter of the
 * node's network namespace, which outlives the server, so cuts survive the server's death.
 *
 *   GET /health    {"mechanism": "iptables v1.8.9 (nf_tables)"}, or 503 {"error": "why not"}
 *   PUT /grudge    {"dropFrom": ["172.20.0.3"]}  replaces all cuts
 *   GET /counters  {"172.20.0.3": 17}            packets dropped since the start
 *
 * Usage: main.ts PORT; `main.ts --probe` only loads the program (it warms the compile cache).
 */

import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  addDropCounts,
  type DropCounts,
  GRUDGE_CHAIN,
  grudgeRules,
  parseDropCounts,
  parseGrudge,
} from './rules.ts';

/** Suffixes of the iptables family, in the order of preference: the system's choice comes first. */
const FLAVOURS = ['', '-nft', '-legacy'] as const;
type Flavour = (typeof FLAVOURS)[number];

/** From TEST-NET-1: never a peer, so that probing with a real rule cuts nothing. */
const PROBE_SOURCE = '192.0.2.1';

/** Longer request bodies are refused; the longest grudge is well below. */
const BODY_BYTES_MAX = 64 * 1024;

interface Filter {
  readonly mechanism: string;
  replace(dropFrom: readonly string[]): Promise<void>;
  counts(): Promise<DropCounts>;
}

function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')}: exit ${code}: ${err.trim()}`));
    });
    child.stdin.end(input);
  });
}

/** Makes the chain, proves that a rule with a counter can be set and read, and hooks it in. */
async function openFlavour(flavour: Flavour): Promise<Filter> {
  const restore = (dropFrom: readonly string[]): Promise<string> =>
    run(`iptables${flavour}-restore`, ['--noflush'], grudgeRules(dropFrom));
  const read = async (): Promise<DropCounts> =>
    parseDropCounts(await run(`iptables${flavour}-save`, ['-c', '-t', 'filter']));

  const mechanism = (await run(`iptables${flavour}`, ['--version'])).trim();
  await restore([PROBE_SOURCE]);
  if ((await read())[PROBE_SOURCE] === undefined) throw new Error(`${mechanism}: rule not found`);
  await restore([]);
  await run(`iptables${flavour}`, ['-A', 'INPUT', '-j', GRUDGE_CHAIN]);

  // Replacing rules resets their counters: what they had counted moves here first. Packets dropped
  // between the read and the commit go uncounted, so a total is a lower bound.
  let earlier: DropCounts = {};
  return {
    mechanism,
    async replace(dropFrom) {
      const now = await read();
      await restore(dropFrom);
      earlier = addDropCounts(earlier, now);
    },
    async counts() {
      return addDropCounts(earlier, await read());
    },
  };
}

/** A filter that works here, or why none does: the holder must live on in either case. */
async function openFilter(): Promise<Filter | string> {
  const failures: string[] = [];
  for (const flavour of FLAVOURS) {
    try {
      return await openFlavour(flavour);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  return `no usable packet filter: ${failures.join('; ')}`;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function answer(
  filter: Filter,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /health':
      return reply(response, 200, { mechanism: filter.mechanism });
    case 'GET /counters':
      return reply(response, 200, await filter.counts());
    case 'PUT /grudge': {
      const lengthBytes = Number(request.headers['content-length'] ?? Number.NaN);
      if (!(lengthBytes <= BODY_BYTES_MAX)) return reply(response, 413, { error: 'too long' });
      const dropFrom = parseGrudge(await text(request));
      if (dropFrom === undefined) return reply(response, 400, { error: 'not a grudge' });
      await filter.replace(dropFrom);
      return reply(response, 200, {});
    }
    default:
      return reply(response, 404, { error: 'no such call' });
  }
}

async function serve(port: number): Promise<void> {
  const filter = await openFilter();
  // One call at a time: a replacement is two commands, and counting must not fall between them.
  let last = Promise.resolve();
  createServer((request, response) => {
    if (typeof filter === 'string') return reply(response, 503, { error: filter });
    last = last
      .then(() => answer(filter, request, response))
      .catch((error: unknown) => reply(response, 500, { error: String(error) }));
  }).listen(port, '0.0.0.0');
}

const argument = process.argv[2] ?? '';
if (argument !== '--probe') await serve(Number(argument));

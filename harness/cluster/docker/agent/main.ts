/**
 * The fault agent: the only process of a node's holder container. It owns the packet filter of the
 * node's network namespace, which outlives the server, so cuts survive the server's death.
 *
 *   GET /health    {"mechanism": "iptables v1.8.9 (nf_tables)", "linksProblem": null or why links
 *                  can only be cut}, or 503 {"error": "why not"}
 *   PUT /grudge    {"dropFrom": ["172.20.0.3"]}  replaces all cuts
 *   GET /counters  {"172.20.0.3": 17}            packets dropped since the start
 *   PUT /links     {"peers": [{"ip", "incoming", "outgoing"}]}  replaces the qualities of all
 *                  links; name every peer
 *   PUT /reset     {"peers": ["172.20.0.3"]}     answers when the connections have been reset
 *   GET, PUT /clock  passed on to the server's own: see clock-program.ts
 *   GET /tally     what the links have done to traffic: the fields of LinkTally
 *
 * Usage: main.ts PORT PEER-PORT PROXY-PORT; `main.ts --probe` only loads the program (it warms the
 * compile cache).
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { sumTallies } from '../../../network/link-tally.ts';
import { CLOCK_PORT } from '../clock-port.ts';
import { type Filter, openFilter } from './filter.ts';
import { parsePeerLinks, parseReset } from './link-rules.ts';
import { forwardToClock } from './member-clock.ts';
import { LinkProxy } from './proxy.ts';
import { parseGrudge } from './rules.ts';

/** Longer request bodies are refused; the longest is well below. */
const BODY_BYTES_MAX = 64 * 1024;

interface Node {
  readonly filter: Filter;
  readonly proxy: LinkProxy;
  /** Packets answered with a reset. */
  resets: number;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function answer(
  node: Node,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { filter, proxy } = node;
  switch (`${request.method} ${request.url}`) {
    case 'GET /health': {
      const { mechanism, linksProblem } = filter;
      return reply(response, 200, { mechanism, linksProblem: linksProblem ?? null });
    }
    case 'GET /counters':
      return reply(response, 200, await filter.counts());
    case 'GET /tally': {
      const kernel = { ...(await filter.lossCounts()), resets: node.resets };
      return reply(response, 200, sumTallies([proxy.tally, kernel]));
    }
    case 'PUT /grudge':
      return perform(request, response, parseGrudge, (dropFrom) => filter.replace(dropFrom));
    case 'PUT /links':
      return perform(request, response, parsePeerLinks, async (peers) => {
        await proxy.setLinks(peers);
        await filter.setLinks(peers);
      });
    case 'PUT /reset':
      return perform(request, response, parseReset, async (ips) => {
        proxy.reset(ips);
        node.resets += await filter.reset(ips);
      });
    default:
      return reply(response, 404, { error: 'no such call' });
  }
}

async function perform<Body>(
  request: IncomingMessage,
  response: ServerResponse,
  parse: (body: string) => Body | undefined,
  act: (body: Body) => Promise<void>,
): Promise<void> {
  const lengthBytes = Number(request.headers['content-length'] ?? Number.NaN);
  if (!(lengthBytes <= BODY_BYTES_MAX)) return reply(response, 413, { error: 'too long' });
  const body = parse(await text(request));
  if (body === undefined) return reply(response, 400, { error: `not for ${request.url}` });
  await act(body);
  return reply(response, 200, {});
}

async function serve(port: number, ports: { peer: number; proxy: number }): Promise<void> {
  const filter = await openFilter(ports);
  const node =
    typeof filter === 'string' ? filter : { filter, proxy: new LinkProxy(ports), resets: 0 };
  // One call at a time: a replacement is two commands, and counting must not fall between them.
  let last = Promise.resolve();
  createServer((request, response) => {
    if (request.url === '/clock') return forwardToClock(CLOCK_PORT, request, response);
    if (typeof node === 'string') return reply(response, 503, { error: node });
    last = last
      .then(() => answer(node, request, response))
      .catch((error: unknown) => reply(response, 500, { error: String(error) }));
  }).listen(port, '0.0.0.0');
}

const [argument = '', peer = '', proxy = ''] = process.argv.slice(2);
if (argument !== '--probe') {
  await serve(Number(argument), { peer: Number(peer), proxy: Number(proxy) });
}

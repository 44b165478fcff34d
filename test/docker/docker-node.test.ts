/** A node's fsync delay, with a container and a disk that are stood in for: needs no daemon. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DockerNode } from '../../harness/cluster/docker/docker-node.ts';

let disk: Server;
let port: number;
/** Bodies that the disk was sent, and how many of them it will still refuse. */
let orders: unknown[];
let refusals: number;
let paused: boolean;

const container = {
  inspect: async () => ({ State: { Running: true, Paused: paused } }),
  unpause: async () => {
    paused = false;
  },
} as unknown as Dockerode.Container;

const nodeOf = (diskControlPort: number): DockerNode =>
  new DockerNode(
    'n1',
    {
      id: 'holder',
      ip: '10.0.0.2',
      host: '127.0.0.1',
      clientPort: 1,
      agentPort: 1,
      diskControlPort,
    },
    {
      server: container,
      disk: { available: true, reason: '' },
      network: {} as Dockerode.Network,
      container,
      machineMemoryBytes: async () => 0,
    },
  );

async function listen(at: number): Promise<void> {
  disk.listen(at, '127.0.0.1');
  await once(disk, 'listening');
  port = (disk.address() as AddressInfo).port;
}

beforeEach(async () => {
  orders = [];
  refusals = 0;
  paused = false;
  disk = createServer(async (request, response) => {
    orders.push(await json(request));
    response.writeHead(refusals-- > 0 ? 500 : 200).end('{}');
  });
  await listen(0);
});

afterEach(async () => {
  disk.close();
  await once(disk, 'close');
});

test('a disk that listens late hears what is wanted by then', async () => {
  disk.close();
  await once(disk, 'close');
  const node = nodeOf(port);
  const slow = node.disk.setFsyncDelay(20);
  const healed = node.disk.setFsyncDelay(0);
  await listen(port);
  await Promise.all([slow, healed]);
  expect(orders).toEqual([{ delayMs: 0 }, { delayMs: 0 }]);
});

test('a resume whose order the disk refused is made good by the next', async () => {
  const node = nodeOf(port);
  await node.disk.setFsyncDelay(20);
  paused = true;
  await node.disk.setFsyncDelay(0);
  refusals = 1;
  await expect(node.resume()).rejects.toThrow('status 500');
  expect(paused).toBe(false);
  await node.resume();
  const delays = [{ delayMs: 20 }, { delayMs: 0 }, { delayMs: 0 }];
  expect(orders).toEqual([...delays, { type: 'none' }]);
});

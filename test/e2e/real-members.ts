/** Members of the server under test as real processes on loopback, without any harness. */
import { createServer, type Server } from 'node:net';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { type Answered, EtcdClient } from '../../src/client/etcd-client.ts';
import { prefixEnd } from '../../src/client/requests.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { StatusMessage } from '../../src/wire/maintenance-messages.ts';
import { type Ended, eventually, type Lab, type Launched } from './lab.ts';

/** How long one call may take while a cluster finds itself. */
const CALL_MS = 2_000;

export class RealMember {
  readonly name: string;
  readonly dataDir: string;
  readonly flags: readonly string[];
  /** `127.0.0.1:port`. */
  readonly endpoint: string;
  readonly client: EtcdClient;
  readonly #lab: Lab;
  #launched: Launched | undefined;

  constructor(lab: Lab, name: string, endpoint: string, flags: readonly string[]) {
    this.#lab = lab;
    this.name = name;
    this.endpoint = endpoint;
    this.dataDir = lab.path(name);
    this.flags = [...flags, '--data-dir', this.dataDir];
    this.client = new EtcdClient({ endpoint: `http://${endpoint}`, timeoutMs: CALL_MS });
  }

  start(): void {
    this.#launched = this.#lab.launchOwn('src/main.ts', this.flags);
  }

  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended> {
    return this.running.end(signal);
  }

  get running(): Launched {
    if (this.#launched === undefined) throw new Error(`${this.name} was never started`);
    return this.#launched;
  }

  /** What it has logged since it was started last. */
  get log(): readonly LogLine[] {
    const lines = this.running.stderr.split('\n').filter((line) => line.startsWith('{'));
    return lines.flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as LogLine] : []));
  }

  async status(): Promise<Answered<StatusMessage> | undefined> {
    const status = await this.client.status();
    return status.ok ? status.value : undefined;
  }

  async leads(): Promise<boolean> {
    const status = await this.status();
    return status !== undefined && status.leader === status.header.memberId;
  }

  /** Resolves when it answers a linearizable read. */
  async serves(): Promise<void> {
    await eventually(`${this.name} serves`, async () => {
      const { isRunning, stderr } = this.running;
      if (!isRunning) throw new Error(stderr);
      return (await this.client.get('any')).ok;
    });
  }

  async put(key: string, value: string): Promise<boolean> {
    return (await this.client.put({ key, value })).ok;
  }

  /** All keys with the prefix and their values; undefined if it does not answer. */
  async read(
    prefix: string,
    consistency: 'linearizable' | 'serializable',
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const serializable = consistency === 'serializable';
    const request = { key: prefix, rangeEnd: prefixEnd(prefix), serializable };
    const answer = await this.client.range(request);
    if (!answer.ok) return undefined;
    return new Map(answer.value.kvs.map((kv) => [utf8Decode(kv.key), utf8Decode(kv.value)]));
  }
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** `n1`, `n2` and so on, with everything on their command lines but `--data-dir`; not started. */
export async function realMembers(
  lab: Lab,
  count: number,
  extra: readonly string[] = [],
): Promise<readonly RealMember[]> {
  const ports = await choosePorts(2 * count, lab.directory);
  const addresses = Array.from({ length: count }, (_, at) => ({
    name: `n${at + 1}`,
    client: `127.0.0.1:${ports[2 * at]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }));
  const cluster = addresses.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join();
  return addresses.map(({ name, client, peerUrl }) => {
    const clientUrl = `http://${client}`;
    const urls = ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl];
    urls.push('--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl);
    const flags = ['--name', name, ...urls, '--initial-cluster', cluster, ...extra];
    return new RealMember(lab, name, client, flags);
  });
}

/** Starts them all; resolves when each serves. */
export async function startAll(members: readonly RealMember[]): Promise<void> {
  for (const member of members) member.start();
  await Promise.all(members.map((member) => member.serves()));
}

/** The one that leads, in a cluster that agrees about it. */
export function findLeader(members: readonly RealMember[]): Promise<RealMember> {
  return eventually('a leader', async () => {
    const statuses = await Promise.all(members.map((member) => member.status()));
    const leaders = new Set(statuses.map((status) => status?.leader));
    const at = statuses.findIndex((status) => status?.leader === status?.header.memberId);
    return leaders.size === 1 && members[at];
  });
}

/** Keeps a port of 127.0.0.1 to itself. */
export async function occupy(port: number): Promise<AsyncDisposable> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { [Symbol.asyncDispose]: close };
}

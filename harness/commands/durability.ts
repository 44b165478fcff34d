/**
 * `storm durability`: write and note what is acknowledged, kill -9 all members at once, start
 * them again, and look for every write acknowledged before the kill.
 */
import type { BackendChoice } from '../backends.ts';
import type { ClusterConfig } from '../cluster/cluster.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import type { KeyClient } from '../key-client.ts';
import type { ClusterContext } from '../nemesis/fault.ts';
import { openCluster } from '../open-cluster.ts';
import { READY_LIMIT_MS, waitUntilReadable } from '../recovery.ts';
import { saveLogs } from '../save-logs.ts';
import type { Services } from '../services.ts';
import { sleep, waitUntil } from '../timing.ts';
import { sweepFirst } from './sweep.ts';

export interface DurabilityRequest {
  readonly rounds: number;
  readonly cluster: BackendChoice;
  readonly runsDirectory: string;
  readonly config: Omit<ClusterConfig, 'runId' | 'runDirectory' | 'serverFlags'>;
}

const WRITE_MS = 1_500;
const WRITERS_PER_NODE = 4;
const PUT_TIMEOUT_MS = 1_000;
const READ_TIMEOUT_MS = 10_000;
const READ_LIMIT_MS = 30_000;
const PREFIX = 'durability/';
/** Per round; keeps the read that verifies it within one message. */
const WRITES_MAX = 5_000;

/** 0: nothing lost; 1: an acknowledged write is gone; 2: the cluster did not come back. */
export async function durabilityCommand(
  services: Services,
  request: DurabilityRequest,
): Promise<number> {
  await sweepFirst(services);
  const { progress, clock, signal } = services;
  const opened = await openCluster(services, {
    choice: request.cluster,
    runsDirectory: request.runsDirectory,
    label: 'durability',
    config: { ...request.config, serverFlags: [] },
  });
  await using cluster = opened.cluster;
  const probe = services.openProbe();
  const context = { cluster, probe, clock };
  let acknowledged = 0;
  let lost = 0;
  try {
    for (let round = 1; round <= request.rounds; round++) {
      const unready = await waitUntilReadable(context, READY_LIMIT_MS, signal);
      if (signal.aborted) throw new StormError('interrupted');
      if (unready.length > 0) return didNotRecover(services, unready, lost);
      const acks = await writeUntilAllAreDead(services, context, round);
      await Promise.all(cluster.nodes.map(({ name }) => cluster.start(name)));
      const found = await readBack(services, context, round);
      if (found === undefined) return didNotRecover(services, [], lost);
      const gone = acks.filter((key) => found.get(key) !== writtenValue(key));
      acknowledged += acks.length;
      lost += gone.length;
      progress.print(
        `durability: round ${round}: ${acks.length} acknowledged, ${gone.length} lost`,
      );
      if (gone.length > 0) progress.print(`evidence: acknowledged and gone: ${gone[0]}`);
    }
  } finally {
    probe.close();
    await saveLogs(services, cluster, opened.directory);
  }
  progress.print(
    `durability: ${request.rounds} x kill -9 of all ${cluster.nodes.length} members on` +
      ` ${cluster.backend}: ${acknowledged} writes acknowledged, ${lost} lost`,
  );
  return exitCodeOf(lost > 0 ? 'invalid' : 'valid');
}

/** What an earlier round lost stays lost: invalid outranks unknown. */
function didNotRecover(services: Services, unreadable: readonly string[], lost: number): number {
  const who = unreadable.length > 0 ? unreadable.join(', ') : 'the cluster';
  services.progress.print(`durability: ${who} answered no read after the restart`);
  return exitCodeOf(lost > 0 ? 'invalid' : 'unknown');
}

/** Keys acknowledged before everybody was killed; writers run into the kill. */
async function writeUntilAllAreDead(
  services: Services,
  { cluster, clock }: ClusterContext,
  round: number,
): Promise<string[]> {
  const acks: string[] = [];
  let writes = 0;
  let stopped = false;
  const clients = cluster.nodes.map((node) => services.openKeyClient(node));
  const write = async (client: KeyClient): Promise<void> => {
    while (!stopped && writes < WRITES_MAX) {
      const key = `${PREFIX}${round}/${++writes}`;
      if (await client.put(key, writtenValue(key), PUT_TIMEOUT_MS)) acks.push(key);
      // A dead member refuses at once: without this the loop would not let timers run.
      else await sleep(clock, 10);
    }
  };
  const writers = clients.flatMap((client) =>
    Array.from({ length: WRITERS_PER_NODE }, () => write(client)),
  );
  await sleep(clock, WRITE_MS, services.signal);
  await Promise.all(cluster.nodes.map(({ name }) => cluster.kill(name)));
  stopped = true;
  await Promise.all(writers);
  for (const client of clients) client.close();
  return acks;
}

/** Each key has a value of its own, so that a wrong value is seen as well as a missing one. */
function writtenValue(key: string): string {
  return `value of ${key}`;
}

/** This round's keys through any member that answers. */
async function readBack(
  services: Services,
  { cluster, clock }: ClusterContext,
  round: number,
): Promise<ReadonlyMap<string, string> | undefined> {
  let found: ReadonlyMap<string, string> | undefined;
  let attempt = 0;
  await waitUntil(clock, { intervalMs: 200, limitMs: READ_LIMIT_MS }, async () => {
    const node = cluster.nodes[attempt++ % cluster.nodes.length]!;
    const client = services.openKeyClient(node);
    found = await client.readPrefix(`${PREFIX}${round}/`, READ_TIMEOUT_MS);
    client.close();
    return found !== undefined;
  });
  return found;
}

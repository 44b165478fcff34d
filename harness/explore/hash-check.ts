/** After all faults are healed every member holds the same: their HashKV at one revision is one. */
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { FullClient } from '../../workloads/full-client.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import { sleep } from '../timing.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 3_000;
/** A compaction that one member still carries out changes what is hashed. */
const ATTEMPTS_MAX = 12;
const RETRY_MS = 500;

interface Hashed {
  readonly node: string;
  readonly hash: number;
  readonly compactRevision: number;
}

export interface HashOutcome {
  readonly finding: Finding | undefined;
  /** The members could be compared. */
  readonly isKnown: boolean;
}

/** Of members that answer; fewer than two say nothing. */
export async function compareHashes(
  nodes: readonly ClusterNode[],
  connect: (endpoint: string) => FullClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<HashOutcome> {
  const clients = nodes.map(({ name, clientUrl }) => ({ name, client: connect(clientUrl) }));
  try {
    // At the revision of a compaction nobody hashes: there must be a newer one.
    const mark = putRequest({ key: 'hash', value: 'hash' });
    await clients[0]?.client.put(mark, { timeoutMs: TIMEOUT_MS });
    let last: readonly Hashed[] = [];
    for (let attempt = 0; attempt < ATTEMPTS_MAX && !signal.aborted; attempt++) {
      if (attempt > 0) await sleep(clock, RETRY_MS, signal);
      last = (await hashAll(clients)) ?? last;
      if (last.length >= 2 && isSame(last)) return { finding: undefined, isKnown: true };
    }
    if (last.length < 2 || isDifferentlyCompacted(last)) {
      return { finding: undefined, isKnown: false };
    }
    const words = last.map(({ node, hash }) => `${node} ${hash}`).join(', ');
    const sentence = `members hold different data at the same revision: hashes ${words}`;
    return { finding: { checker: 'hash', sentence }, isKnown: true };
  } finally {
    for (const { client } of clients) client.close();
  }
}

/** Undefined: somebody did not answer. */
async function hashAll(
  clients: readonly { readonly name: string; readonly client: FullClient }[],
): Promise<readonly Hashed[] | undefined> {
  const options = { timeoutMs: TIMEOUT_MS };
  const reads = await Promise.all(
    clients.map(({ client }) => client.range(rangeRequest({ key: 'hash' }), options)),
  );
  const revisions = reads.flatMap((read) => (read.ok ? [read.value.header.revision] : []));
  if (revisions.length < clients.length) return undefined;
  const revision = Math.min(...revisions);
  const hashes = await Promise.all(
    clients.map(async ({ name, client }) => {
      const reply = await client.hashKv(revision, options);
      if (!reply.ok) return undefined;
      const { hash, compactRevision = 0 }: { hash: number; compactRevision?: number } =
        reply.value.result;
      return { node: name, hash, compactRevision };
    }),
  );
  const known = hashes.filter((each) => each !== undefined);
  return known.length < clients.length ? undefined : known;
}

function isSame(hashed: readonly Hashed[]): boolean {
  return hashed.every(({ hash }) => hash === hashed[0]!.hash);
}

function isDifferentlyCompacted(hashed: readonly Hashed[]): boolean {
  return hashed.some(({ compactRevision }) => compactRevision !== hashed[0]!.compactRevision);
}

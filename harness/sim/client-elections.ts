/** Elections, as simulated clients call them; every answer about a leader is judged. */
import { create } from '@bufbuild/protobuf';
import { EMPTY_BYTES, equalBytes } from '../../src/lib/bytes.ts';
import type { Revision } from '../../src/lib/ids.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import { serviceError } from '../../src/service/errors.ts';
import {
  CampaignRequestSchema,
  LeaderKeySchema,
  LeaderRequestSchema,
  type LeaderResponse,
  ProclaimRequestSchema,
  ResignRequestSchema,
} from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import { safeNumber } from '../../src/wire/generated-fields.ts';
import type { ElectionClient, ElectionKey, ElectionLeader } from '../../workloads/full-client.ts';
import { answered, wrongHolder } from './client-leases.ts';
import type { ClientLink, Perform, Wrong } from './client-link.ts';
import { inWords } from './oracle/difference.ts';

type ElectionCalls = Pick<
  ElectionClient,
  'campaign' | 'proclaim' | 'leader' | 'observe' | 'resign'
>;

export function electionCalls(link: ClientLink): ElectionCalls {
  return {
    campaign: (request, options) =>
      link.call(
        options,
        async ({ election }, call) => {
          const elected = await election.campaign(create(CampaignRequestSchema, request), call);
          if (!elected.ok) return elected;
          const { header, leader } = elected.value;
          const { key = EMPTY_BYTES, rev = 0n } = leader ?? {};
          const { name, lease } = request;
          return answered(header, { leader: { name, key, rev: safeNumber(rev), lease } });
        },
        ({ revision, result: { leader } }) =>
          wrongHolder(link, leader.key, revision) ?? notHere(link, leader, revision),
      ),
    proclaim: (leader, value, options) =>
      link.call(
        options,
        async ({ election }, { caller }) => {
          const request = create(ProclaimRequestSchema, { leader: keyOf(leader), value });
          const proclaimed = await election.proclaim(request, caller);
          return proclaimed.ok ? answered(proclaimed.value.header, {}) : proclaimed;
        },
        ({ revision }) => notHere(link, leader, revision, value),
      ),
    leader: (name, options) =>
      link.call(
        options,
        async ({ election }, { caller }) => {
          const told = await election.leader(create(LeaderRequestSchema, { name }), caller);
          return told.ok ? answered(told.value.header, leaderIn(told.value)) : told;
        },
        ({ revision, result }) => wrongLeader(link, name, result, revision),
      ),
    observe: (name, count, options) => link.call(options, observe(link, name, count)),
    resign: (leader, options) =>
      link.call(
        options,
        async ({ election }, { caller }) => {
          const request = create(ResignRequestSchema, { leader: keyOf(leader) });
          const resigned = await election.resign(request, caller);
          return resigned.ok ? answered(resigned.value.header, {}) : resigned;
        },
        ({ revision }) => stillHere(link, leader, revision),
      ),
  };
}

type Observed = Awaited<ReturnType<ElectionClient['observe']>>;
type Told = Extract<Observed, { ok: true }>['value']['result'];

/** A stream that is closed after so many answers. */
function observe(link: ClientLink, name: Uint8Array, count: number): Perform<Told> {
  return ({ election }, call) =>
    new Promise((resolve) => {
      const told: { readonly leader: ElectionLeader; readonly revision: Revision }[] = [];
      const stream = election.observe(create(LeaderRequestSchema, { name }), call.caller, {
        send: (response) => {
          const revision = safeNumber(response.header?.revision ?? 0n);
          const leader = leaderIn(response);
          // Judged when all of the member's step is known.
          link.parts.loop.schedule(0, () => {
            const wrong = wrongLeader(link, name, leader, revision);
            if (wrong !== undefined) link.parts.onWrong(link.node, wrong);
          });
          told.push({ leader, revision });
          if (told.length === count) stream.closed();
          if (told.length === count) resolve(answered(response.header, told));
        },
        writable: true,
        onWritable: () => undefined,
        end: (error = serviceError('canceled')) => resolve({ ok: false, error }),
      });
      call.onOver(() => {
        stream.closed();
        resolve({ ok: false, error: serviceError('canceled') });
      });
    });
}

function keyOf({ name, key, rev, lease }: ElectionKey) {
  return create(LeaderKeySchema, { name, key, rev: BigInt(rev), lease });
}

function leaderIn({ kv }: LeaderResponse): ElectionLeader {
  const { key = EMPTY_BYTES, createRevision = 0n, value = EMPTY_BYTES } = kv ?? {};
  return { key, createRevision: safeNumber(createRevision), value };
}

/** The leader has the oldest key of all, at that revision. */
function wrongLeader(
  { parts: { oracle } }: ClientLink,
  name: Uint8Array,
  leader: ElectionLeader,
  revision: Revision,
): Wrong | undefined {
  const [prefix, end] = [SLASH, SLASH + 1].map((last) => Uint8Array.of(...name, last));
  const candidates = oracle.keysIn(prefix!, end!, revision);
  const oldest = candidates.reduce<KeyValue | undefined>(
    (best, kv) => (best !== undefined && best.createRevision <= kv.createRevision ? best : kv),
    undefined,
  );
  const words = `${inWords(leader.key)} was said to lead at revision ${revision}`;
  if (oldest === undefined) return { name: 'one leader', detail: `${words}, and nobody does` };
  const { createRevision } = oldest;
  if (!equalBytes(oldest.key, leader.key) || createRevision !== leader.createRevision) {
    const detail = `${words}, and ${inWords(oldest.key)} does, since ${createRevision}`;
    return { name: 'one leader', detail };
  }
  if (equalBytes(oldest.value, leader.value)) return undefined;
  const detail = `${words} with ${inWords(leader.value)}, but it said ${inWords(oldest.value)}`;
  return { name: 'one leader', detail };
}

/** Whoever was answered as the leader had its key at that revision, with that value. */
function notHere(
  link: ClientLink,
  leader: ElectionKey,
  revision: Revision,
  value?: Uint8Array,
): Wrong | undefined {
  const kv = keyAt(link, leader, revision);
  const words = `${inWords(leader.key)} led at revision ${revision}, with a key of ${leader.rev}`;
  if (kv?.createRevision !== leader.rev) {
    const detail = `${words}, and its key is of ${kv?.createRevision ?? 'no revision'}`;
    return { name: 'one leader', detail };
  }
  if (value === undefined || equalBytes(kv.value, value)) return undefined;
  return { name: 'one leader', detail: `${words}, and its value is another` };
}

function stillHere(link: ClientLink, leader: ElectionKey, revision: Revision): Wrong | undefined {
  if (keyAt(link, leader, revision)?.createRevision !== leader.rev) return undefined;
  const detail = `${inWords(leader.key)} resigned, and is there at revision ${revision}`;
  return { name: 'one leader', detail };
}

function keyAt(
  { parts: { oracle } }: ClientLink,
  { key }: ElectionKey,
  revision: Revision,
): KeyValue | undefined {
  return oracle.keysIn(key, EMPTY_BYTES, revision)[0];
}

const SLASH = 0x2f;

/** etcd's Election service, as the election workload asks for it. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { maybeSent } from '../../src/client/client-error.ts';
import type { EtcdClient } from '../../src/client/etcd-client.ts';
import { callGenerated } from '../../src/client/generated-call.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import type { Revision } from '../../src/lib/ids.ts';
import { err, ok } from '../../src/lib/result.ts';
import {
  type LeaderKey,
  LeaderKeySchema,
  LeaderRequestSchema,
  type LeaderResponse,
  LeaderResponseSchema,
} from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import { safeNumber } from '../../src/wire/generated-fields.ts';
import type { ElectionClient, ElectionKey, ElectionLeader } from '../../workloads/full-client.ts';
import type { Login } from './login.ts';
import { CAMPAIGN, LEADER, PROCLAIM, RESIGN, streamed } from './methods.ts';

type ElectionCalls = Pick<
  ElectionClient,
  'campaign' | 'proclaim' | 'leader' | 'observe' | 'resign'
>;

const OBSERVE = 'v3electionpb.Election/Observe';

export function electionCalls(client: EtcdClient, login: Login): ElectionCalls {
  const nothing = (): object => ({});
  return {
    campaign: (request, options) =>
      login.call(options, (with_) => {
        const pick = ({ leader }: { readonly leader?: LeaderKey | undefined }) => {
          const { key = EMPTY_BYTES, rev = 0n } = leader ?? {};
          const { name, lease } = request;
          return { leader: { name, key, rev: safeNumber(rev), lease } };
        };
        return callGenerated(client, CAMPAIGN, request, pick, with_);
      }),
    proclaim: (leader, value, options) =>
      login.call(options, (with_) =>
        callGenerated(client, PROCLAIM, { leader: keyOf(leader), value }, nothing, with_),
      ),
    leader: (name, options) =>
      login.call(options, (with_) => callGenerated(client, LEADER, { name }, leaderIn, with_)),
    observe: async (name, count, { timeoutMs }) => {
      const told: { readonly leader: ElectionLeader; readonly revision: Revision }[] = [];
      const seen = await streamed(
        client,
        { path: OBSERVE, timeoutMs, metadata: login.metadata },
        toBinary(LeaderRequestSchema, create(LeaderRequestSchema, { name })),
        (bytes) => {
          const response = fromBinary(LeaderResponseSchema, bytes);
          const revision = safeNumber(response.header?.revision ?? 0n);
          told.push({ leader: leaderIn(response), revision });
          return told.length >= count ? told : undefined;
        },
        () => err(maybeSent('the server ended the stream')),
      );
      if (!seen.ok) return seen;
      return ok({ header: { revision: told.at(-1)?.revision ?? 0 }, result: seen.value });
    },
    resign: (leader, options) =>
      login.call(options, (with_) =>
        callGenerated(client, RESIGN, { leader: keyOf(leader) }, nothing, with_),
      ),
  };
}

function keyOf({ name, key, rev, lease }: ElectionKey): LeaderKey {
  return create(LeaderKeySchema, { name, key, rev: BigInt(rev), lease });
}

function leaderIn({ kv }: LeaderResponse): ElectionLeader {
  const { key = EMPTY_BYTES, createRevision = 0n, value = EMPTY_BYTES } = kv ?? {};
  return { key, createRevision: safeNumber(createRevision), value };
}

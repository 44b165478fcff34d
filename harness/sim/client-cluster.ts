/** Changes of the membership, as a simulated administrator asks for them. */
import { create } from '@bufbuild/protobuf';
import type { MemberId } from '../../src/lib/ids.ts';
import {
  MemberAddRequestSchema,
  MemberPromoteRequestSchema,
  MemberRemoveRequestSchema,
  MemberUpdateRequestSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { CallOptions, Reply } from '../../workloads/kv-client.ts';
import { answered } from './client-leases.ts';
import type { ClientLink } from './client-link.ts';

export interface ClusterClient {
  memberAdd(
    member: { readonly peerUrl: string; readonly isLearner: boolean },
    options: CallOptions,
  ): Reply<object>;
  memberPromote(id: MemberId, options: CallOptions): Reply<object>;
  memberRemove(id: MemberId, options: CallOptions): Reply<object>;
  memberUpdate(id: MemberId, peerUrls: readonly string[], options: CallOptions): Reply<object>;
}

export function clusterCalls(link: ClientLink): ClusterClient {
  return {
    memberAdd: ({ peerUrl, isLearner }, options) =>
      link.call(options, async ({ cluster }, { caller }) => {
        const request = create(MemberAddRequestSchema, { peerURLs: [peerUrl], isLearner });
        const added = await cluster.memberAdd(request, caller);
        return added.ok ? answered(added.value.header, {}) : added;
      }),
    memberPromote: (ID, options) =>
      link.call(options, async ({ cluster }, { caller }) => {
        const promoted = await cluster.memberPromote(
          create(MemberPromoteRequestSchema, { ID }),
          caller,
        );
        return promoted.ok ? answered(promoted.value.header, {}) : promoted;
      }),
    memberRemove: (ID, options) =>
      link.call(options, async ({ cluster }, { caller }) => {
        const removed = await cluster.memberRemove(
          create(MemberRemoveRequestSchema, { ID }),
          caller,
        );
        return removed.ok ? answered(removed.value.header, {}) : removed;
      }),
    memberUpdate: (ID, peerURLs, options) =>
      link.call(options, async ({ cluster }, { caller }) => {
        const request = create(MemberUpdateRequestSchema, { ID, peerURLs: [...peerURLs] });
        const updated = await cluster.memberUpdate(request, caller);
        return updated.ok ? answered(updated.value.header, {}) : updated;
      }),
  };
}

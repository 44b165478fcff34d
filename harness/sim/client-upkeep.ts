/** What administrators ask of a simulated member. */
import { create } from '@bufbuild/protobuf';
import { err } from '../../src/lib/result.ts';
import { serviceError } from '../../src/service/errors.ts';
import {
  CompactionRequestSchema,
  DefragmentRequestSchema,
  HashKVRequestSchema,
  MoveLeaderRequestSchema,
  SnapshotRequestSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { UpkeepClient } from '../../workloads/full-client.ts';
import { answered } from './client-leases.ts';
import type { ClientLink, Perform } from './client-link.ts';

type UpkeepCalls = Pick<
  UpkeepClient,
  'compact' | 'defragment' | 'hashKv' | 'moveLeader' | 'snapshot'
>;

export function upkeepCalls(link: ClientLink): UpkeepCalls {
  return {
    compact: ({ revision, physical }, options) =>
      link.call(options, async ({ kv }, { caller }) => {
        const request = create(CompactionRequestSchema, { revision: BigInt(revision), physical });
        const compacted = await kv.compact(request, caller);
        return compacted.ok ? answered(compacted.value.header, {}) : compacted;
      }),
    defragment: (options) =>
      link.call(options, async ({ maintenance }, { caller }) => {
        const done = await maintenance.defragment(create(DefragmentRequestSchema, {}), caller);
        return done.ok ? answered(done.value.header, {}) : done;
      }),
    hashKv: (revision, options) =>
      link.call(options, async ({ maintenance }, { caller }) => {
        const request = create(HashKVRequestSchema, { revision: BigInt(revision) });
        const hashed = await maintenance.hashKv(request, caller);
        return hashed.ok ? answered(hashed.value.header, { hash: hashed.value.hash }) : hashed;
      }),
    moveLeader: (options) =>
      link.call(options, async ({ maintenance, cluster }, { caller }) => {
        const listed = await cluster.memberList({ linearizable: false }, caller);
        if (!listed.ok) return listed;
        const { header, result } = listed.value;
        const voters = result.members.filter(({ isLearner }) => !isLearner).map(({ id }) => id);
        const target = voters[(voters.indexOf(header.memberId) + 1) % voters.length];
        if (target === undefined) return err(serviceError('badTransferee'));
        const request = create(MoveLeaderRequestSchema, { targetID: target });
        const moved = await maintenance.moveLeader(request, caller);
        return moved.ok ? answered(moved.value.header, {}) : moved;
      }),
    snapshot: (options) => link.call(options, takeSnapshot()),
  };
}

function takeSnapshot(): Perform<{ readonly sizeBytes: number }> {
  return ({ maintenance }, call) =>
    new Promise((resolve) => {
      let sizeBytes = 0;
      const stream = maintenance.snapshot(create(SnapshotRequestSchema, {}), call.caller, {
        send: ({ blob }) => {
          sizeBytes += blob.length;
        },
        writable: true,
        onWritable: () => undefined,
        end: (error) =>
          resolve(error === undefined ? answered(undefined, { sizeBytes }) : err(error)),
      });
      call.onOver(() => stream.closed());
    });
}

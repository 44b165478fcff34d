/** What administrators ask of a simulated member. */
import { create } from '@bufbuild/protobuf';
import { concatBytes } from '../../src/lib/bytes.ts';
import { err } from '../../src/lib/result.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import type { Checkpoint } from '../../src/snap/read-checkpoint.ts';
import {
  CompactionRequestSchema,
  DefragmentRequestSchema,
  HashKVRequestSchema,
  MoveLeaderRequestSchema,
  SnapshotRequestSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { UpkeepClient } from '../../workloads/full-client.ts';
import { checkpointIn } from './checkpoint-audit.ts';
import { answered } from './client-leases.ts';
import type { ClientLink, Perform } from './client-link.ts';
import { SUM_BYTES } from './plain-hasher.ts';

type UpkeepCalls = Pick<
  UpkeepClient,
  'compact' | 'defragment' | 'hashKv' | 'moveLeader' | 'snapshot'
>;

export function upkeepCalls(link: ClientLink): UpkeepCalls {
  const { oracle } = link.parts;
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
      link.call(
        options,
        async ({ maintenance }, { caller }) => {
          const request = create(HashKVRequestSchema, { revision: BigInt(revision) });
          const hashed = await maintenance.hashKv(request, caller);
          if (!hashed.ok) return hashed;
          const { header, hash, compactRevision, hashRevision } = hashed.value;
          return answered(header, {
            hash,
            // −1: never compacted.
            compactRevision: Math.max(0, Number(compactRevision)),
            hashRevision: Number(hashRevision),
          });
        },
        ({ result }) => oracle.compareHashed(result),
      ),
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
    snapshot: (options) =>
      link.call(options, takeSnapshot(), ({ result: { content } }) =>
        typeof content === 'string' ? content : oracle.compareCheckpoint(content),
      ),
  };
}

interface Snapshot {
  readonly sizeBytes: number;
  /** Or why it holds nothing. */
  readonly content: Checkpoint | string;
}

function takeSnapshot(): Perform<Snapshot> {
  return async ({ maintenance }, call) => {
    const blobs: Uint8Array[] = [];
    const error = await new Promise<ServiceError | undefined>((resolve) => {
      const stream = maintenance.snapshot(create(SnapshotRequestSchema, {}), call.caller, {
        send: ({ blob }) => blobs.push(blob),
        writable: true,
        onWritable: () => undefined,
        end: resolve,
      });
      call.onOver(() => stream.closed());
    });
    if (error !== undefined) return err(error);
    const bytes = concatBytes(blobs);
    const content = await checkpointIn(bytes.subarray(0, -SUM_BYTES));
    return answered(undefined, { sizeBytes: bytes.length, content });
  };
}

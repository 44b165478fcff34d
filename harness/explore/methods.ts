/** Methods of etcd's API that only explorations call. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ClientError, maybeSent, timedOut } from '../../src/client/client-error.ts';
import type { EtcdClient } from '../../src/client/etcd-client.ts';
import type { GeneratedMethod } from '../../src/client/generated-call.ts';
import type { StreamCall } from '../../src/client/stream-call.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import * as election from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';

export const CAMPAIGN: GeneratedMethod<
  typeof election.CampaignRequestSchema,
  typeof election.CampaignResponseSchema
> = {
  path: 'v3electionpb.Election/Campaign',
  request: election.CampaignRequestSchema,
  response: election.CampaignResponseSchema,
};

export const PROCLAIM: GeneratedMethod<
  typeof election.ProclaimRequestSchema,
  typeof election.ProclaimResponseSchema
> = {
  path: 'v3electionpb.Election/Proclaim',
  request: election.ProclaimRequestSchema,
  response: election.ProclaimResponseSchema,
};

export const LEADER: GeneratedMethod<
  typeof election.LeaderRequestSchema,
  typeof election.LeaderResponseSchema
> = {
  path: 'v3electionpb.Election/Leader',
  request: election.LeaderRequestSchema,
  response: election.LeaderResponseSchema,
};

export const RESIGN: GeneratedMethod<
  typeof election.ResignRequestSchema,
  typeof election.ResignResponseSchema
> = {
  path: 'v3electionpb.Election/Resign',
  request: election.ResignRequestSchema,
  response: election.ResignResponseSchema,
};

type Settled<Value> = Promise<Result<Value, ClientError>>;

/** Bytes of the store as Maintenance.Snapshot streams it. */
export function readSnapshot(
  client: EtcdClient,
  timeoutMs: number,
  metadata: Readonly<Record<string, string>>,
): Settled<number> {
  let sizeBytes = 0;
  return streamed(
    client,
    { path: 'etcdserverpb.Maintenance/Snapshot', timeoutMs, metadata },
    toBinary(rpc.SnapshotRequestSchema, create(rpc.SnapshotRequestSchema)),
    (bytes) => {
      sizeBytes += fromBinary(rpc.SnapshotResponseSchema, bytes).blob.length;
      return undefined;
    },
    () => ok(sizeBytes),
  );
}

export interface StreamWords {
  readonly path: string;
  readonly timeoutMs: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * A call with one request and many answers, until `onMessage` gives a value, the server ends it
 * (`onEnd` says what that means) or the time is over.
 */
export function streamed<Value>(
  client: EtcdClient,
  { path, timeoutMs, metadata }: StreamWords,
  request: Uint8Array,
  onMessage: (bytes: Uint8Array) => Value | undefined,
  onEnd: () => Result<Value, ClientError>,
): Settled<Value> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(err(timedOut({ sent: true }))), timeoutMs);
    const call: StreamCall = client.stream(
      path,
      {
        onMessage: (bytes) => {
          try {
            const value = onMessage(bytes);
            if (value !== undefined) settle(ok(value));
          } catch (error) {
            settle(err(maybeSent(`unreadable answer: ${String(error)}`)));
          }
        },
        onEnd: (error) => settle(error === undefined ? onEnd() : err(error)),
      },
      { metadata, openTimeoutMs: timeoutMs },
    );
    function settle(outcome: Result<Value, ClientError>): void {
      clearTimeout(timer);
      call.cancel();
      resolve(outcome);
    }
    call.send(frameMessage(request));
    call.halfClose();
  });
}

import { create, toBinary } from '@bufbuild/protobuf';
import type { LeaseId } from '../lib/ids.ts';
import * as lockpb from '../wire/gen/v3lockpb/v3lock_pb.ts';
import { frameMessage } from '../wire/grpc-frame.ts';
import type { CallOptions, EtcdClient, Outcome } from './etcd-client.ts';
import { answerOf } from './lease-client.ts';
import { bytesOf, type Text } from './requests.ts';

/** etcd's Lock service. */

export interface HeldLock {
  /** Exists for as long as the lock is held; to unlock, and to guard transactions with. */
  readonly key: Uint8Array;
}

/**
 * Waits until nobody else holds the lock. `lease` 0: one of the server's own. After an indefinite
 * error, a time-out for one, the lock may still be waited for, or held, until the lease ends.
 */
export function lock(
  client: EtcdClient,
  request: { readonly name: Text; readonly lease: LeaseId },
  options?: CallOptions,
): Outcome<HeldLock> {
  const { lease } = request;
  const message = create(lockpb.LockRequestSchema, { name: bytesOf(request.name), lease });
  const frame = frameMessage(toBinary(lockpb.LockRequestSchema, message));
  const decode = answerOf(lockpb.LockResponseSchema, ({ key }) => ({ key }));
  return client.call('v3lockpb.Lock/Lock', frame, decode, options);
}

export function unlock(
  client: EtcdClient,
  key: Uint8Array,
  options?: CallOptions,
): Outcome<object> {
  const message = create(lockpb.UnlockRequestSchema, { key });
  const frame = frameMessage(toBinary(lockpb.UnlockRequestSchema, message));
  return client.call(
    'v3lockpb.Lock/Unlock',
    frame,
    answerOf(lockpb.UnlockResponseSchema, () => ({})),
    options,
  );
}

/**
 * An administrator's questions over the etcd v3 client, each on a connection of its own: they are
 * rare.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { maybeSent } from '../../src/client/client-error.ts';
import type { EtcdClient } from '../../src/client/etcd-client.ts';
import type { MemberId, Revision } from '../../src/lib/ids.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import {
  type Member,
  SnapshotRequestSchema,
  SnapshotResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import { openClient } from '../etcd-members.ts';
import { callMethod } from '../scenarios/lab/call.ts';
import * as lab from '../scenarios/lab/methods.ts';
import type { Administration, Asked, KeyState, MemberRecord } from './administration.ts';
import { MEMBER_PROMOTE, MOVE_LEADER, SNAPSHOT_PATH } from './methods.ts';

/** A change of the membership takes a commit, or an election first. */
const CALL_MS = 3_000;
/** A defragmentation rewrites the file; a snapshot waits for the disk. */
const LONG_CALL_MS = 10_000;
/** A key that no workload uses. */
const READ_KEY = 'storm/ready';
/** Far more than a storm writes. */
const SNAPSHOT_BYTES_MAX = 512 * 1024 * 1024;

export const RPC_ADMINISTRATION: Administration = {
  members: (node) =>
    ask(node, async (client) => {
      // The list is what the member has applied; after this read that is what was committed.
      const read = await client.get(READ_KEY, { timeoutMs: CALL_MS });
      if (!read.ok) return read;
      const answer = await callMethod(client, lab.MEMBER_LIST, {}, { timeoutMs: CALL_MS });
      return answer.ok ? ok(answer.value.members.map(recordOf)) : answer;
    }),
  addMember: (node, { peerUrl, isLearner }) =>
    ask(node, async (client) => {
      const fields = { peerURLs: [peerUrl], isLearner };
      const answer = await callMethod(client, lab.MEMBER_ADD, fields, { timeoutMs: CALL_MS });
      return answer.ok ? ok(answer.value.members.map(recordOf)) : answer;
    }),
  removeMember: (node, ID) =>
    ask(node, (client) => callMethod(client, lab.MEMBER_REMOVE, { ID }, { timeoutMs: CALL_MS })),
  promoteMember: (node, ID) =>
    ask(node, (client) => callMethod(client, MEMBER_PROMOTE, { ID }, { timeoutMs: CALL_MS })),
  status: (node) =>
    ask(node, async (client) => {
      const answer = await client.status({ timeoutMs: CALL_MS });
      if (!answer.ok) return answer;
      const { header, leader, dbSizeBytes, isLearner } = answer.value;
      return ok({ memberId: header.memberId, leader, dbSizeBytes, isLearner });
    }),
  moveLeader: (node, targetID) =>
    ask(node, (client) => callMethod(client, MOVE_LEADER, { targetID }, { timeoutMs: CALL_MS })),
  revision: (node) =>
    ask(node, async (client) => {
      const answer = await client.get(READ_KEY, { timeoutMs: CALL_MS });
      return answer.ok ? ok(answer.value.header.revision) : answer;
    }),
  compact: (node, { revision, physical }) =>
    ask(node, (client) => {
      const fields = { revision: BigInt(revision), physical };
      return callMethod(client, lab.COMPACT, fields, { timeoutMs: LONG_CALL_MS });
    }),
  defragment: (node) =>
    ask(node, (client) => callMethod(client, lab.DEFRAGMENT, {}, { timeoutMs: LONG_CALL_MS })),
  keysAt: (node, revision) => ask(node, (client) => keysAt(client, revision)),
  snapshot: (node) => ask(node, snapshotOf),
};

async function ask<Value>(
  node: ClusterNode,
  call: (client: EtcdClient) => Asked<Value>,
): Asked<Value> {
  const client = openClient(node);
  try {
    return await call(client);
  } finally {
    client.close();
  }
}

async function keysAt(client: EtcdClient, revision: Revision): Asked<readonly KeyState[]> {
  const everything = new Uint8Array([0]);
  const answer = await client.range(
    { key: everything, rangeEnd: everything, revision },
    { timeoutMs: LONG_CALL_MS },
  );
  return answer.ok ? ok(answer.value.kvs.map(stateOf)) : answer;
}

function snapshotOf(client: EtcdClient): Asked<Uint8Array> {
  const { promise, resolve } =
    Promise.withResolvers<Result<Uint8Array, ReturnType<typeof maybeSent>>>();
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  const call = client.stream(
    SNAPSHOT_PATH,
    {
      onMessage: (bytes) => {
        const { blob } = fromBinary(SnapshotResponseSchema, bytes);
        pieces.push(blob);
        sizeBytes += blob.length;
        if (sizeBytes <= SNAPSHOT_BYTES_MAX) return;
        call.cancel();
        resolve(err(maybeSent('the snapshot is too long')));
      },
      onEnd: (error) => resolve(error === undefined ? ok(joined(pieces, sizeBytes)) : err(error)),
    },
    { openTimeoutMs: LONG_CALL_MS },
  );
  call.send(frameMessage(toBinary(SnapshotRequestSchema, create(SnapshotRequestSchema, {}))));
  call.halfClose();
  return promise;
}

function joined(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function recordOf({ ID, name, peerURLs, isLearner }: Member): MemberRecord {
  const id: MemberId = ID;
  return { id, name, peerUrls: peerURLs, isLearner };
}

function stateOf({ key, value, createRevision, modRevision, version }: KeyValue): KeyState {
  const texts = { key: utf8Decode(key), value: utf8Decode(value) };
  return { ...texts, createRevision, modRevision, version };
}

/** All that workloads ask of a member, over etcd's API: what the simulator's clients are, for real. */
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { callGenerated } from '../../src/client/generated-call.ts';
import {
  keepAliveOnce,
  leaseGrant,
  leaseRevoke,
  leaseTimeToLive,
} from '../../src/client/lease-client.ts';
import { lock, unlock } from '../../src/client/lock-client.ts';
import { WatchCall as EtcdWatchCall } from '../../src/client/watch-call.ts';
import { ok } from '../../src/lib/result.ts';
import {
  AlarmRequest_AlarmAction as AlarmAction,
  AlarmType,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type {
  FullClient,
  LockClient,
  UpkeepClient,
  UserClient,
  WatchCall,
  WatchHandlers,
} from '../../workloads/full-client.ts';
import { MOVE_LEADER } from '../administration/methods.ts';
import { ALARM, COMPACT, DEFRAGMENT, HASH_KV } from '../scenarios/lab/methods.ts';
import { changeAuth } from './auth-changes.ts';
import { electionCalls } from './election-calls.ts';
import { Login, ROOT } from './login.ts';
import { readSnapshot } from './methods.ts';

/** Opening does not touch the store; nothing is connected before the first call. */
export function connectFully(endpoint: string): FullClient {
  const client = new EtcdClient({ endpoint });
  const root = new Login(client, ROOT);
  return {
    ...userCalls(client, root),
    ...electionCalls(client, root),
    ...upkeepCalls(client, root),
    ...changeAuth(client, root),
    alarm: async ({ action, memberId: memberID }, options) =>
      root.call(options, (with_) =>
        callGenerated(
          client,
          ALARM,
          { action: ALARM_ACTIONS[action], memberID, alarm: AlarmType.NOSPACE },
          ({ alarms }) => ({ memberIds: alarms.map((alarm) => alarm.memberID) }),
          with_,
        ),
      ),
    as: (user) => ({ ...userCalls(client, new Login(client, user)), close: () => undefined }),
    close: () => client.close(),
  };
}

const ALARM_ACTIONS = {
  list: AlarmAction.GET,
  activate: AlarmAction.ACTIVATE,
  deactivate: AlarmAction.DEACTIVATE,
} as const;

function userCalls(client: EtcdClient, login: Login): UserClient & LockClient {
  return {
    range: (request, options) => login.call(options, (with_) => client.range(request, with_)),
    put: (request, options) => login.call(options, (with_) => client.put(request, with_)),
    deleteRange: (request, options) =>
      login.call(options, (with_) => client.deleteRange(request, with_)),
    txn: (request, options) => login.call(options, (with_) => client.txn(request, with_)),
    leaseGrant: (ttlS, options, id) =>
      login.call(options, (with_) =>
        leaseGrant(client, { ttlS, ...(id !== undefined && { id }) }, with_),
      ),
    leaseKeepAlive: (id, options) =>
      login.call(options, (with_) => keepAliveOnce(client, id, with_)),
    leaseRevoke: (id, options) => login.call(options, (with_) => leaseRevoke(client, id, with_)),
    leaseTimeToLive: (id, options) =>
      login.call(options, (with_) => leaseTimeToLive(client, { id, keys: true }, with_)),
    lock: (request, options) => login.call(options, (with_) => lock(client, request, with_)),
    unlock: (key, options) => login.call(options, (with_) => unlock(client, key, with_)),
    watch: (handlers) => watch(client, login, handlers),
    close: () => client.close(),
  };
}

function watch(client: EtcdClient, login: Login, handlers: WatchHandlers): WatchCall {
  const call = new EtcdWatchCall(
    client,
    {
      onResponse: ({ revision }, result) => handlers.onResponse(revision, result),
      onEnd: () => handlers.onEnd(),
    },
    { metadata: login.metadata },
  );
  return {
    // What is not sent is lost with the stream, which says so.
    create: (request) => void call.create(request),
    cancel: (watchId) => void call.cancel(watchId),
    requestProgress: () => void call.requestProgress(),
    pause: () => call.pause(),
    resume: () => call.resume(),
    close: () => call.close(),
  };
}

type UpkeepCalls = Pick<
  UpkeepClient,
  'compact' | 'defragment' | 'hashKv' | 'moveLeader' | 'snapshot'
>;

function upkeepCalls(client: EtcdClient, root: Login): UpkeepCalls {
  const nothing = (): object => ({});
  return {
    compact: ({ revision, physical }, options) =>
      root.call(options, (with_) => {
        const fields = { revision: BigInt(revision), physical };
        return callGenerated(client, COMPACT, fields, nothing, with_);
      }),
    defragment: (options) =>
      root.call(options, (with_) => callGenerated(client, DEFRAGMENT, {}, nothing, with_)),
    hashKv: (revision, options) =>
      root.call(options, (with_) => {
        const fields = { revision: BigInt(revision) };
        const pick = (answer: { readonly hash: number; readonly compactRevision: bigint }) => ({
          hash: answer.hash,
          compactRevision: Number(answer.compactRevision),
        });
        return callGenerated(client, HASH_KV, fields, pick, with_);
      }),
    moveLeader: async (options) => {
      const listed = await root.call(options, async (with_) => {
        const answer = await client.memberList({ linearizable: false }, with_);
        return answer.ok ? ok({ ...answer.value, own: answer.value.header.memberId }) : answer;
      });
      if (!listed.ok) return listed;
      const { members, own } = listed.value.result;
      const voters = members.filter(({ isLearner }) => !isLearner).map(({ id }) => id);
      const targetID = voters[(voters.indexOf(own) + 1) % voters.length] ?? 0n;
      return root.call(options, (with_) =>
        callGenerated(client, MOVE_LEADER, { targetID }, nothing, with_),
      );
    },
    snapshot: (options) => snapshot(client, root, options.timeoutMs),
  };
}

/** The whole stream is read, and only counted. */
function snapshot(
  client: EtcdClient,
  root: Login,
  timeoutMs: number,
): ReturnType<UpkeepClient['snapshot']> {
  return readSnapshot(client, timeoutMs, root.metadata).then((answer) =>
    answer.ok ? ok({ header: { revision: 0 }, result: { sizeBytes: answer.value } }) : answer,
  );
}

/**
 * Users, roles and permissions that change while they are used, and authentication that is
 * switched on and off. Who may do what is judged by who knows what was committed.
 *
 *   auth-change  {type, user, role, key, rangeEnd, permission}
 *   auth-put     {user, key, value, prevKv, lease}
 *   auth-delete  {user, key, rangeEnd, prevKv}
 *   auth-read    {user, key, rangeEnd, serializable}
 *   auth-txn     {user, compare, success, failure}: these as in kv-request.ts
 *   auth-lease   {user, lease, action: grant | revoke, ttlS}
 *   auth-watch   {user, key, rangeEnd}: in place of what the client's user watched before
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { bytesOf, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { WatchCreateRequest } from '../../src/mvcc/watch-request.ts';
import type { AuthChange, AuthClient, UserClient, WatchCall } from '../full-client.ts';
import type { Invocation } from '../generator/generator.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY } from '../generator/sequence.ts';
import { deleteOf, putOf, rangeOf, txnOf } from '../kv/kv-request.ts';
import { type CallOptions, completed, failedRead, failedWrite } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';
import { type AuthOptions, authGenerator } from './auth-generator.ts';

export const AUTH_FS: readonly string[] = [
  'auth-change',
  'auth-put',
  'auth-delete',
  'auth-read',
  'auth-txn',
  'auth-lease',
  'auth-watch',
];

export function authWorkload(
  connect: (endpoint: string) => AuthClient,
  pace: Pace,
  options?: AuthOptions,
): Workload {
  return {
    name: 'auth',
    fs: AUTH_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, authGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [],
  };
}

/** A user at one member, and what it watches there. */
interface Session {
  readonly client: UserClient;
  watch: WatchCall | undefined;
}

class Client implements WorkloadClient {
  readonly #root: AuthClient;
  readonly #sessions = new Map<string, Session>();

  constructor(root: AuthClient) {
    this.#root = root;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    if (f === 'auth-change') return this.#change(value, options);
    const session = this.#session(value);
    const { client } = session;
    switch (f) {
      case 'auth-put': {
        const { lease = 0 } = fieldsOf(value) ?? {};
        assert(typeof lease === 'number', 'leases are numbers');
        const reply = await client.put({ ...putOf(value), lease: BigInt(lease) }, options);
        return reply.ok ? completed(value, reply.value.header.revision) : failedWrite(reply.error);
      }
      case 'auth-delete': {
        const reply = await client.deleteRange(deleteOf(value), options);
        return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
      }
      case 'auth-read': {
        const reply = await client.range(rangeOf(value, 0), options);
        return reply.ok ? { type: 'ok', value } : failedRead(reply.error);
      }
      case 'auth-txn': {
        const reply = await client.txn(txnOf(value, 0), options);
        return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
      }
      case 'auth-lease':
        return onLease(client, value, options);
      default:
        assert(f === 'auth-watch', `bad ${f}`);
        return watch(session, value, options);
    }
  }

  close(): void {
    for (const { client, watch: open } of this.#sessions.values()) {
      open?.close();
      client.close();
    }
    this.#root.close();
  }

  #session(value: Json): Session {
    const { user } = fieldsOf(value) ?? {};
    assert(typeof user === 'string', 'somebody asks');
    const session = this.#sessions.get(user) ?? { client: this.#root.as(user), watch: undefined };
    this.#sessions.set(user, session);
    return session;
  }

  async #change(asked: Json, options: CallOptions): Promise<Completion> {
    const reply = await this.#root.changeAuth(changeOf(asked), options);
    return reply.ok ? { type: 'ok', value: asked } : failedWrite(reply.error);
  }
}

async function onLease(client: UserClient, value: Json, options: CallOptions): Promise<Completion> {
  const { lease, action, ttlS = 0 } = fieldsOf(value) ?? {};
  assert(typeof lease === 'number' && typeof ttlS === 'number', 'a lease and its time');
  const id = BigInt(lease);
  const reply =
    action === 'grant'
      ? await client.leaseGrant(ttlS, options, id)
      : await client.leaseRevoke(id, options);
  return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
}

/** What a watcher is told is judged where it is sent; here it is only asked for. */
async function watch(session: Session, value: Json, options: CallOptions): Promise<Completion> {
  const { client } = session;
  const { key, rangeEnd } = rangeOf(value, 0);
  // Whoever was not let in last time logs in before it asks for anything else.
  const reply = await client.range(rangeRequest({ key }), options);
  session.watch?.close();
  session.watch = undefined;
  const call = client.watch({
    onResponse: () => undefined,
    onEnd: () => {
      if (session.watch === call) session.watch = undefined;
    },
  });
  session.watch = call;
  call.create({ ...WATCH, key, rangeEnd });
  return { type: 'ok', value: { asked: value, read: reply.ok } };
}

const WATCH: Omit<WatchCreateRequest, 'key' | 'rangeEnd'> = {
  startRevision: 0,
  progressNotify: false,
  filters: [],
  prevKv: true,
  watchId: 0,
  fragment: false,
};

function changeOf(asked: Json): AuthChange {
  const { key, rangeEnd = '', ...fields } = fieldsOf(asked) ?? {};
  if (typeof key !== 'string' || typeof rangeEnd !== 'string') return fields as AuthChange;
  return { ...fields, key: bytesOf(key), rangeEnd: bytesOf(rangeEnd) } as AuthChange;
}

/**
 * Users, roles and permissions that change while they are used, and authentication that is
 * switched on and off. Who may do what is judged by who knows what was committed.
 *
 *   auth-change  {type, user, role, key, rangeEnd, permission}
 *   auth-put     {user, key, value}
 *   auth-delete  {user, key, rangeEnd}
 *   auth-read    {user, key, rangeEnd}
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import {
  bytesOf,
  deleteRangeRequest,
  putRequest,
  rangeRequest,
} from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import type { AuthChange, AuthClient } from '../full-client.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, list, phases, repeat, unfold } from '../generator/sequence.ts';
import {
  type CallOptions,
  completed,
  failedRead,
  failedWrite,
  type KvClient,
} from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const AUTH_FS: readonly string[] = ['auth-change', 'auth-put', 'auth-delete', 'auth-read'];

const USERS = ['alice', 'bob'];
const ROLES = ['writers', 'readers'];
const KEYS = ['auth/a', 'auth/b', 'auth/c', 'auth/d'];
const PERMISSIONS = ['read', 'write', 'readWrite'];

export function authWorkload(connect: (endpoint: string) => AuthClient, pace: Pace): Workload {
  return {
    name: 'auth',
    fs: AUTH_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, authGenerator()),
    finalGenerator: EMPTY,
    checkers: [],
  };
}

/** Without root and its role, nobody can switch it on. */
const FIRST: readonly Json[] = [
  { type: 'userAdd', user: 'root' },
  { type: 'grantRole', user: 'root', role: 'root' },
  ...USERS.map((user) => ({ type: 'userAdd', user })),
  ...ROLES.map((role) => ({ type: 'roleAdd', role })),
  { type: 'grantRole', user: 'alice', role: 'writers' },
  { type: 'grantRole', user: 'bob', role: 'readers' },
  { type: 'grant', role: 'writers', permission: 'readWrite', key: 'auth/a', rangeEnd: 'auth/c' },
  { type: 'enable' },
];

function authGenerator(): Generator {
  const changes = repeat(({ random }) => ({ f: 'auth-change', value: drawChange(random) }));
  const puts = unfold(1, (value, { random }) => {
    const asked = { user: oneOf(random, USERS), key: oneOf(random, KEYS), value: `u${value}` };
    return { op: { f: 'auth-put', value: asked }, state: value + 1 };
  });
  const spans = (f: string): Generator =>
    repeat(({ random }) => ({ f, value: { user: oneOf(random, USERS), ...drawSpan(random) } }));
  return phases(
    list(FIRST.map((value) => ({ f: 'auth-change', value }))),
    mix([
      { weight: 25, generator: changes },
      { weight: 40, generator: puts },
      { weight: 10, generator: spans('auth-delete') },
      { weight: 25, generator: spans('auth-read') },
    ]),
  );
}

function drawChange(random: Random): Json {
  const [user, role] = [oneOf(random, USERS), oneOf(random, ROLES)];
  const permission = { role, permission: oneOf(random, PERMISSIONS), ...drawSpan(random) };
  return oneOf<Json>(random, [
    { type: 'enable' },
    { type: 'enable' },
    { type: 'enable' },
    { type: 'disable' },
    { type: 'userAdd', user },
    { type: 'userAdd', user },
    { type: 'userDelete', user },
    { type: 'userPassword', user },
    { type: 'grantRole', user, role },
    { type: 'grantRole', user, role },
    { type: 'revokeRole', user, role },
    { type: 'roleAdd', role },
    { type: 'roleAdd', role },
    { type: 'roleDelete', role },
    { type: 'grant', ...permission },
    { type: 'grant', ...permission },
    { type: 'grant', ...permission },
    { type: 'revoke', ...permission },
  ]);
}

function drawSpan(random: Random): { readonly [field: string]: string } {
  const key = oneOf(random, KEYS);
  return random.below(3) === 0 ? { key, rangeEnd: oneOf(random, ['auth/c', 'auth0']) } : { key };
}

function oneOf<Choice>(random: Random, choices: readonly Choice[]): Choice {
  return choices[random.below(choices.length)]!;
}

class Client implements WorkloadClient {
  readonly #root: AuthClient;
  readonly #users = new Map<string, KvClient>();

  constructor(root: AuthClient) {
    this.#root = root;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    if (f === 'auth-change') return this.#change(value, options);
    const { user, key, rangeEnd = '', value: text = '' } = fieldsOf(value) ?? {};
    assert(typeof user === 'string' && typeof key === 'string', 'somebody wants some key');
    assert(typeof rangeEnd === 'string' && typeof text === 'string', 'texts');
    const kv = this.#users.get(user) ?? this.#root.as(user);
    this.#users.set(user, kv);
    if (f === 'auth-put') {
      const reply = await kv.put(putRequest({ key, value: text }), options);
      return reply.ok ? completed(value, reply.value.header.revision) : failedWrite(reply.error);
    }
    if (f === 'auth-delete') {
      const reply = await kv.deleteRange(deleteRangeRequest({ key, rangeEnd }), options);
      return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
    }
    assert(f === 'auth-read', `bad ${f}`);
    const reply = await kv.range(rangeRequest({ key, rangeEnd }), options);
    return reply.ok ? { type: 'ok', value } : failedRead(reply.error);
  }

  close(): void {
    for (const kv of this.#users.values()) kv.close();
    this.#root.close();
  }

  async #change(asked: Json, options: CallOptions): Promise<Completion> {
    const reply = await this.#root.changeAuth(changeOf(asked), options);
    return reply.ok ? { type: 'ok', value: asked } : failedWrite(reply.error);
  }
}

function changeOf(asked: Json): AuthChange {
  const { key, rangeEnd = '', ...fields } = fieldsOf(asked) ?? {};
  if (typeof key !== 'string' || typeof rangeEnd !== 'string') return fields as AuthChange;
  return { ...fields, key: bytesOf(key), rangeEnd: bytesOf(rangeEnd) } as AuthChange;
}

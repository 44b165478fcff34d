/**
 * What users, and whoever looks after them, ask for: a few users, roles and keys, so that
 * permissions overlap, have gaps, are taken away and given again while they are used.
 */
import type { Json } from '../../checkers/history/op.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawWeighted } from '../generator/draw.ts';
import type { Generator } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { list, phases, repeat, unfold } from '../generator/sequence.ts';

const USERS = ['alice', 'bob'];
const ROLES = ['writers', 'readers'];
const KEYS = ['auth/a', 'auth/b', 'auth/c', 'auth/d', 'auth/e', 'auth/f'];
/** One way more often than both: some may write what they may not read. */
const PERMISSIONS = ['read', 'read', 'write', 'write', 'readWrite'];
/** Ids that clients choose, so that all of them mean the same leases. */
const LEASES = [71, 72];
const LEASE_TTLS_S = [3, 10, 15];

type JsonFields = { readonly [field: string]: Json };

/** Shares of: one key, an interval between two keys, all keys, and on without an end. */
const SPANS = {
  granted: [55, 40, 3, 2],
  read: [30, 60, 5, 5],
  // What is without an end would reach the keys of other workloads.
  deleted: [60, 35, 5, 0],
} as const;

/** Without root and its role, nobody can switch it on. */
const FIRST: readonly Json[] = [
  { type: 'userAdd', user: 'root' },
  { type: 'grantRole', user: 'root', role: 'root' },
  ...USERS.map((user) => ({ type: 'userAdd', user })),
  ...ROLES.map((role) => ({ type: 'roleAdd', role })),
  { type: 'grantRole', user: 'alice', role: 'writers' },
  { type: 'grantRole', user: 'bob', role: 'readers' },
  // With gaps between them, and one that may be written and not read.
  { type: 'grant', role: 'writers', permission: 'readWrite', key: 'auth/a', rangeEnd: 'auth/c' },
  { type: 'grant', role: 'readers', permission: 'read', key: 'auth/a' },
  { type: 'enable' },
  { type: 'grant', role: 'readers', permission: 'read', key: 'auth/c', rangeEnd: 'auth/e' },
  { type: 'grant', role: 'readers', permission: 'write', key: 'auth/f' },
];

export interface AuthOptions {
  /**
   * `drawn`: permissions come and go while they are used. `settled`: only what was given first is
   * given again, so that it is known what nobody may do.
   */
  readonly changes: 'drawn' | 'settled';
}

/** Endless. */
export function authGenerator({ changes }: AuthOptions = { changes: 'drawn' }): Generator {
  const change = changes === 'drawn' ? drawChange : (random: Random) => oneOf(random, FIRST);
  const drawn = (f: string, draw: (random: Random) => Json): Generator =>
    repeat(({ random }) => ({ f, value: draw(random) }));
  const puts = unfold(1, (value, { random }) => {
    const asked = { user: drawUser(random), ...drawPut(random, `u${value}`) };
    return { op: { f: 'auth-put', value: asked }, state: value + 1 };
  });
  const txns = unfold(1, (value, { random }) => {
    const asked = { user: drawUser(random), ...drawTxn(random, `t${value}`, 1) };
    return { op: { f: 'auth-txn', value: asked }, state: value + 1 };
  });
  return phases(
    list(FIRST.map((value) => ({ f: 'auth-change', value }))),
    mix([
      { weight: 22, generator: drawn('auth-change', change) },
      { weight: 22, generator: puts },
      { weight: 20, generator: txns },
      { weight: 8, generator: drawn('auth-delete', drawDelete) },
      { weight: 18, generator: drawn('auth-read', drawRead) },
      { weight: 10, generator: drawn('auth-lease', drawLease) },
      { weight: 4, generator: drawn('auth-watch', drawWatch) },
    ]),
  );
}

function drawChange(random: Random): Json {
  const [user, role] = [oneOf(random, USERS), oneOf(random, ROLES)];
  const permission = {
    role,
    permission: oneOf(random, PERMISSIONS),
    ...drawSpan(random, 'granted'),
  };
  const changes: readonly (readonly [weight: number, change: Json])[] = [
    [4, { type: 'enable' }],
    [1, { type: 'disable' }],
    // The first ones may have got lost.
    [1, { type: 'userAdd', user: 'root' }],
    [1, { type: 'grantRole', user: 'root', role: 'root' }],
    [3, { type: 'userAdd', user }],
    [1, { type: 'userDelete', user }],
    [2, { type: 'userPassword', user }],
    [4, { type: 'grantRole', user, role }],
    [1, { type: 'revokeRole', user, role }],
    [3, { type: 'roleAdd', role }],
    [1, { type: 'roleDelete', role }],
    [10, { type: 'grant', ...permission }],
    [3, { type: 'revoke', ...permission }],
  ];
  return changes[
    drawWeighted(
      random,
      changes.map(([weight]) => weight),
    )
  ]![1];
}

function drawPut(random: Random, value: string): JsonFields {
  const lease: JsonFields = random.below(2) === 0 ? { lease: oneOf(random, LEASES) } : {};
  return { key: oneOf(random, KEYS), value, ...lease, ...drawPrevKv(random) };
}

function drawDelete(random: Random): Json {
  return { user: drawUser(random), ...drawSpan(random, 'deleted'), ...drawPrevKv(random) };
}

function drawRead(random: Random): Json {
  const stale: JsonFields = random.below(3) === 0 ? { serializable: true } : {};
  return { user: drawUser(random), ...drawSpan(random, 'read'), ...stale };
}

/** Short, so that now and then only one part of it is what its user may not do. */
function drawTxn(random: Random, value: string, nestingLeft: number): JsonFields {
  const guard = (): Json => {
    const span = random.below(4) === 0 ? drawSpan(random, 'read') : { key: oneOf(random, KEYS) };
    return { target: 'version', ...span, result: oneOf(random, ['greater', 'equal']), operand: 0 };
  };
  const branch = (): Json => (random.below(3) === 0 ? [] : [drawOp(random, value, nestingLeft)]);
  return {
    compare: random.below(2) === 0 ? [guard()] : [],
    success: [drawOp(random, value, nestingLeft)],
    failure: branch(),
  };
}

function drawOp(random: Random, value: string, nestingLeft: number): Json {
  switch (drawWeighted(random, [40, 15, 25, nestingLeft > 0 ? 20 : 0])) {
    case 0:
      return { op: 'put', key: oneOf(random, KEYS), value, ...drawPrevKv(random) };
    case 1:
      return { op: 'delete', ...drawSpan(random, 'deleted'), ...drawPrevKv(random) };
    case 2:
      return { op: 'range', ...drawSpan(random, 'read') };
    default:
      return { op: 'txn', ...drawTxn(random, value, nestingLeft - 1) };
  }
}

function drawLease(random: Random): Json {
  const lease = { user: drawUser(random), lease: oneOf(random, LEASES) };
  if (random.below(8) === 0) return { ...lease, action: 'revoke' };
  return { ...lease, action: 'grant', ttlS: oneOf(random, LEASE_TTLS_S) };
}

function drawWatch(random: Random): Json {
  return { user: drawUser(random), ...drawSpan(random, 'read') };
}

/** Root comes now and then, to whom no key is closed. */
function drawUser(random: Random): string {
  return random.below(7) === 0 ? 'root' : oneOf(random, USERS);
}

function drawPrevKv(random: Random): JsonFields {
  return random.below(2) === 0 ? { prevKv: true } : {};
}

function drawSpan(random: Random, use: keyof typeof SPANS): { readonly [field: string]: string } {
  const at = random.below(KEYS.length);
  const key = KEYS[at]!;
  switch (drawWeighted(random, SPANS[use])) {
    case 0:
      return { key };
    case 1:
      return { key, rangeEnd: KEYS[at + 1 + random.below(3)] ?? 'auth0' };
    case 2:
      return { key: 'auth/', rangeEnd: 'auth0' };
    default:
      return { key, rangeEnd: '\0' };
  }
}

function oneOf<Choice>(random: Random, choices: readonly Choice[]): Choice {
  return choices[random.below(choices.length)]!;
}

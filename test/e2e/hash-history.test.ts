/** One random history on real etcd and on ours: the same revisions, the same hashes all along. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { Lab } from './lab.ts';
import { choosePlaces, etcdctl, memberAt, type Place, startEtcd } from './stock-tools.ts';

const MISSING = isMissing('etcd') || isMissing('etcdctl');
const title = MISSING ? 'HashKV (not run: etcd is not installed)' : 'HashKV';

const STEPS = 600;
const STEPS_BETWEEN_POINTS = 20;
const KEYS = 12;
const LEASES = 5;
/** No lease ends by itself. */
const TTL_S = 100_000;

type Step =
  | { readonly type: 'put'; readonly key: number; readonly value: string; readonly lease: number }
  | { readonly type: 'delete'; readonly key: number; readonly to: number }
  | {
      readonly type: 'txn';
      readonly if: number;
      readonly puts: readonly number[];
      readonly del: number;
    }
  | { readonly type: 'grant' | 'revoke'; readonly lease: number }
  | { readonly type: 'compact'; readonly back: number };

const key = fc.nat(KEYS - 1);
const value = fc.string({ maxLength: 40 });
const lease = fc.nat(LEASES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      value,
      lease: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, lease),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('delete' as const), key, to: key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('txn' as const),
      if: key,
      puts: fc.uniqueArray(key, { maxLength: 4 }),
      del: key,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('grant' as const), lease }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('revoke' as const), lease }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.nat(15) }) },
);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const keyOf = (at: number): string => base64(`key/${String(at).padStart(2, '0')}`);
const leaseOf = (at: number): string => String(7_000_000 + at);

/** As the JSON gateway of both takes it. */
function requestOf(made: Step, revision: number): readonly [path: string, body: object] {
  switch (made.type) {
    case 'put': {
      const put = { key: keyOf(made.key), value: base64(made.value) };
      return ['kv/put', made.lease < 0 ? put : { ...put, lease: leaseOf(made.lease) }];
    }
    case 'delete': {
      const range = made.to > made.key ? { range_end: keyOf(made.to) } : {};
      return ['kv/deleterange', { key: keyOf(made.key), ...range }];
    }
    case 'txn': {
      const compare = [{ target: 'VERSION', result: 'GREATER', key: keyOf(made.if), version: '1' }];
      const puts = made.puts.map((at) => ({
        request_put: { key: keyOf(at), value: base64(`txn at ${revision}`) },
      }));
      const failure = [{ request_delete_range: { key: keyOf(made.del) } }, ...puts.slice(0, 1)];
      const clashes = made.puts[0] === made.del;
      return ['kv/txn', { compare, success: puts, failure: clashes ? [] : failure }];
    }
    case 'grant':
      return ['lease/grant', { ID: leaseOf(made.lease), TTL: String(TTL_S) }];
    case 'revoke':
      return ['lease/revoke', { ID: leaseOf(made.lease) }];
    case 'compact':
      return ['kv/compaction', { revision: String(Math.max(revision - made.back, 1)) }];
    default:
      return made satisfies never;
  }
}

interface Answer {
  readonly revision: number;
  /** Empty: it was done. */
  readonly refusal: string;
}

async function ask(endpoint: string, path: string, body: object): Promise<Answer> {
  const url = `http://${endpoint}/v3/${path}`;
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  const { header, message = '' } = (await response.json()) as {
    readonly header?: { readonly revision?: string };
    readonly message?: string;
  };
  return { revision: Number(header?.revision ?? 0), refusal: message };
}

describe.skipIf(MISSING)(title, () => {
  let lab: Lab;
  let endpoints: readonly [etcd: string, ours: string];

  beforeEach(async () => {
    lab = new Lab();
    const [theirs, ours] = (await choosePlaces(2, lab.directory)) as [Place, Place];
    const flags = ['--initial-cluster', `a=${theirs.peerUrl}`, '--data-dir', lab.path('etcd')];
    await startEtcd(lab, 'a', theirs, flags);
    const member = memberAt(lab, 'b', ours, ['--initial-cluster', `b=${ours.peerUrl}`]);
    member.start();
    await member.serves();
    endpoints = [theirs.endpoint, ours.endpoint];
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  const hashesAt = async (revision: number): Promise<readonly number[]> => {
    const args = ['endpoint', 'hashkv', '--rev', `${revision}`, '-w', 'json'];
    const answers: unknown = JSON.parse(await etcdctl(lab, endpoints.join(), args));
    return (answers as { readonly HashKV: { readonly hash: number } }[]).map(
      ({ HashKV }) => HashKV.hash,
    );
  };

  test.each([1, 2])('is equal to etcd’s at many points of history %i', async (seed) => {
    const [steps] = fc.sample(fc.array(step, { minLength: STEPS, maxLength: STEPS, size: 'max' }), {
      numRuns: 1,
      seed,
    }) as [Step[]];
    let [revision, compacted] = [1, 0];
    const seen = new Set<number>();
    let refused = 0;
    for (const [at, made] of steps.entries()) {
      const [path, body] = requestOf(made, revision);
      const [theirs, ours] = await Promise.all(endpoints.map((to) => ask(to, path, body)));
      expect(ours, `step ${at}: ${path} ${JSON.stringify(body)}`).toEqual(theirs);
      if (ours!.refusal !== '') refused++;
      else if (made.type === 'compact') compacted = Math.max(revision - made.back, 1);
      revision = Math.max(revision, ours!.revision);
      if (at % STEPS_BETWEEN_POINTS > 0 || revision <= compacted) continue;
      // Now, and somewhere in what is left of the history.
      for (const point of new Set([revision, compacted + Math.ceil((revision - compacted) / 2)])) {
        const [etcd, own] = await hashesAt(point);
        expect(own, `after step ${at}, at revision ${point} of ${revision}`).toBe(etcd);
        seen.add(own!);
      }
    }
    process.stdout.write(
      `seed ${seed}: ${steps.length} steps, ${refused} refused alike, ${seen.size} hashes equal\n`,
    );
    expect(seen.size).toBeGreaterThanOrEqual(20);
    expect(compacted).toBeGreaterThan(0);
  });
});

import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Result } from '../../src/lib/result.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { OpenCall } from '../../src/service/call.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { ElectionService } from '../../src/service/election.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import {
  CampaignRequestSchema,
  type CampaignResponse,
  type LeaderKey,
  LeaderKeySchema,
  LeaderRequestSchema,
  type LeaderResponse,
  ProclaimRequestSchema,
  ResignRequestSchema,
} from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import { LeaseCluster, type LeaseMember, type Services } from './lease-cluster.ts';
import { settle } from './step-clock.ts';

let cluster: LeaseCluster;
let leader: LeaseMember;
let services: Services;
let elections: ElectionService;

const NAME = utf8Encode('e');

beforeEach(() => {
  cluster = new LeaseCluster();
  [leader] = cluster.members;
  services = cluster.servicesOf(leader);
  elections = new ElectionService({ ...services, clock: cluster.clock });
});

class Candidate {
  readonly call = new OpenCall(ANONYMOUS);
  outcome: Result<CampaignResponse, ServiceError> | undefined;

  constructor(lease: bigint, value: string) {
    const request = create(CampaignRequestSchema, { name: NAME, lease, value: utf8Encode(value) });
    void elections.campaign(request, this.call).then((outcome) => {
      this.outcome = outcome;
    });
  }

  get leader(): LeaderKey | undefined {
    return this.outcome?.ok ? this.outcome.value.leader : undefined;
  }
}

async function campaign(lease: bigint, value: string): Promise<Candidate> {
  await services.leases.grant({ id: lease, ttlS: 600 }, ANONYMOUS);
  const candidate = new Candidate(lease, value);
  await settle();
  return candidate;
}

async function proclaim(key: LeaderKey | undefined, value: string) {
  const request = create(ProclaimRequestSchema, { leader: key, value: utf8Encode(value) });
  const outcome = await elections.proclaim(request, ANONYMOUS);
  await settle();
  return outcome;
}

async function resign(key: LeaderKey | undefined) {
  const request = create(ResignRequestSchema, { leader: key });
  const outcome = await elections.resign(request, ANONYMOUS);
  await settle();
  return outcome;
}

/** What the leader proclaims, or the error. */
async function leading(): Promise<string> {
  const read = await elections.leader(create(LeaderRequestSchema, { name: NAME }), ANONYMOUS);
  return read.ok ? utf8Decode(read.value.kv!.value) : read.error.message;
}

describe('campaign', () => {
  test('elects the first, and the next when it resigns', async () => {
    const first = await campaign(1n, 'a');
    const second = await campaign(2n, 'b');
    expect(first.leader).toMatchObject({ name: NAME, key: utf8Encode('e/1'), rev: 2n, lease: 1n });
    expect(second.outcome).toBeUndefined();
    expect(await leading()).toBe('a');
    expect((await resign(first.leader)).ok).toBe(true);
    expect(second.leader).toMatchObject({ key: utf8Encode('e/2'), rev: 3n, lease: 2n });
    expect(await leading()).toBe('b');
  });

  test('again with the same lease changes the value and not the place', async () => {
    await campaign(1n, 'a');
    const waiting = await campaign(2n, 'b');
    const again = new Candidate(1n, 'c');
    await settle();
    expect(again.leader).toMatchObject({ rev: 2n });
    expect(waiting.outcome).toBeUndefined();
    expect(await leading()).toBe('c');
  });

  test('who loses its lease while it waits is not elected', async () => {
    const first = await campaign(1n, 'a');
    await services.leases.grant({ id: 2n, ttlS: 5 }, ANONYMOUS);
    const second = new Candidate(2n, 'b');
    await cluster.clock.pass(6_000);
    expect(second.outcome).toEqual({ ok: false, error: serviceError('electionNotLeader') });
    await resign(first.leader);
    expect(await leading()).toBe('election: no leader');
  });

  test('who goes away is not elected later', async () => {
    const first = await campaign(1n, 'a');
    const second = await campaign(2n, 'b');
    const third = await campaign(3n, 'c');
    second.call.end();
    await settle();
    await resign(first.leader);
    expect(third.leader?.lease).toBe(3n);
    expect(second.outcome).toEqual({ ok: false, error: serviceError('canceled') });
  });

  test('without a lease gets one of its own', async () => {
    const candidate = new Candidate(0n, 'a');
    await settle();
    const lease = candidate.leader!.lease;
    expect(leader.lessor.remaining(lease, leader.nowTick)?.grantedTtlS).toBe(60);
  });
});

describe('proclaim and resign', () => {
  test('are for who leads', async () => {
    const first = await campaign(1n, 'a');
    expect((await proclaim(first.leader, 'b')).ok).toBe(true);
    expect(await leading()).toBe('b');
    await resign(first.leader);
    expect(await proclaim(first.leader, 'c')).toEqual({
      ok: false,
      error: { code: 2, message: 'election: not leader', definite: true },
    });
    expect((await resign(first.leader)).ok).toBe(true);
    expect(await leading()).toBe('election: no leader');
  });

  test('who was elected again is another leader', async () => {
    const first = await campaign(1n, 'a');
    await resign(first.leader);
    const again = new Candidate(1n, 'b');
    await settle();
    expect(await proclaim(first.leader, 'c')).toEqual({
      ok: false,
      error: serviceError('electionNotLeader'),
    });
    await resign(first.leader);
    expect(await leading()).toBe('b');
    expect((await proclaim(again.leader, 'd')).ok).toBe(true);
  });

  test('a value keeps the key on the lease, told or not', async () => {
    const first = await campaign(1n, 'a');
    await proclaim({ ...first.leader!, lease: 0n }, 'b');
    await proclaim(first.leader, 'c');
    expect(leader.lessor.keysOf(1n)).toEqual([utf8Encode('e/1')]);
  });

  test('nobody is no leader', async () => {
    const error = { code: 2, message: '"leader" field must be provided', definite: true };
    expect(await proclaim(undefined, 'a')).toEqual({ ok: false, error });
    expect(await resign(undefined)).toEqual({ ok: false, error });
    const nobody = create(LeaderKeySchema, { key: utf8Encode('e/1'), rev: 0n });
    expect(await proclaim(nobody, 'a')).toEqual({
      ok: false,
      error: serviceError('electionNotLeader'),
    });
    expect(await leading()).toBe('election: no leader');
  });
});

describe('observe', () => {
  /** A client that takes what it is sent unless told otherwise. */
  function observe() {
    const seen: LeaderResponse[] = [];
    const ends: (ServiceError | undefined)[] = [];
    let onWritable = () => {};
    const sink = {
      send: (response: LeaderResponse) => void seen.push(response),
      writable: true,
      onWritable: (callback: () => void) => {
        onWritable = callback;
      },
      end: (error?: ServiceError) => void ends.push(error),
    };
    const stream = elections.observe(create(LeaderRequestSchema, { name: NAME }), ANONYMOUS, sink);
    const values = () => seen.map(({ kv }) => utf8Decode(kv!.value));
    const take = (writable: boolean) => {
      sink.writable = writable;
      if (writable) onWritable();
    };
    return { seen, ends, stream, values, take };
  }

  test('tells every leader and every value, from the present one on', async () => {
    const first = await campaign(1n, 'a');
    const second = await campaign(2n, 'b');
    const { values, seen, stream } = observe();
    await settle();
    await proclaim(first.leader, 'a2');
    await resign(first.leader);
    await proclaim(second.leader, 'b2');
    await resign(second.leader);
    await campaign(3n, 'c');
    expect(values()).toEqual(['a', 'a2', 'b', 'b2', 'c']);
    const revisions = seen.map(({ header }) => header!.revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => Number(a - b)));
    stream.closed();
    expect(services.watches.count).toBe(0);
  });

  test('waits for the first', async () => {
    const { values } = observe();
    await settle();
    expect(values()).toEqual([]);
    await campaign(1n, 'a');
    expect(values()).toEqual(['a']);
  });

  test('is not told of other elections', async () => {
    const { values } = observe();
    await settle();
    const other = { name: utf8Encode('e2'), value: utf8Encode('x') };
    await services.leases.grant({ id: 9n, ttlS: 60 }, ANONYMOUS);
    const request = create(CampaignRequestSchema, { ...other, lease: 9n });
    await elections.campaign(request, new OpenCall(ANONYMOUS));
    await settle();
    expect(values()).toEqual([]);
  });

  test('who does not take what it is sent misses values, but not the last', async () => {
    const first = await campaign(1n, 'a');
    const { values, take } = observe();
    await settle();
    take(false);
    for (const value of ['b', 'c', 'd']) await proclaim(first.leader, value);
    expect(values()).toEqual(['a']);
    take(true);
    expect(values()).toEqual(['a', 'd']);
  });

  test('goes on after a compaction', async () => {
    const first = await campaign(1n, 'a');
    const { values } = observe();
    await settle();
    for (const value of ['b', 'c']) await proclaim(first.leader, value);
    await leader.propose({ type: 'compaction', revision: leader.store.revision, physical: false });
    await proclaim(first.leader, 'd');
    expect(values()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('ends with the error when it cannot read', async () => {
    leader.barrierFailure = 'noLeader';
    const { ends, values } = observe();
    await settle();
    expect(ends).toEqual([serviceError('noLeader')]);
    expect(values()).toEqual([]);
  });
});

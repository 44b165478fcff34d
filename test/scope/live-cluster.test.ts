import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveCluster } from '../../harness/scope/live/live-cluster.ts';
import type { TraceEvent } from '../../harness/sim/trace.ts';

const ACTIONS = ['stop', 'resume', 'pause', 'restart', 'timeOut', 'request'] as const;

interface Deed {
  readonly waitMs: number;
  readonly action: (typeof ACTIONS)[number];
  readonly node: number;
}

const anyDeeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.record({
    waitMs: fc.nat(700),
    action: fc.constantFrom(...ACTIONS),
    node: fc.nat(6),
  }),
  { maxLength: 25 },
);

function play(options: { memberCount: number; seed: number; careful?: boolean }) {
  const events: TraceEvent[] = [];
  const cluster = new LiveCluster(options, { trace: (event) => events.push(event) });
  const advance = (ms: number) => cluster.advanceTo(cluster.nowNs + ms * 1e6);
  const act = ({ waitMs, action, node }: Deed) => {
    advance(waitMs);
    cluster[action](cluster.names[node % cluster.names.length]!);
  };
  return { events, cluster, advance, act };
}

const anySetup = fc.record({
  memberCount: fc.integer({ min: 1, max: 7 }),
  seed: fc.nat(1_000),
  careful: fc.boolean(),
});

function leaderOf(cluster: LiveCluster): string | undefined {
  return cluster.names.find((name) => {
    const { state, role } = cluster.member(name).trace(cluster.nowNs);
    return state === 'running' && role === 'leader';
  });
}

describe('the live cluster', () => {
  test('the same seed and actions give the same events, in whatever strides', () => {
    fc.assert(
      fc.property(
        anySetup,
        anyDeeds,
        fc.integer({ min: 1, max: 100 }),
        (setup, deeds, strideMs) => {
          const a = play(setup);
          const b = play(setup);
          for (const deed of deeds) {
            a.act(deed);
            for (let ms = 0; ms + strideMs < deed.waitMs; ms += strideMs) b.advance(strideMs);
            b.cluster.advanceTo(a.cluster.nowNs);
            b.act({ ...deed, waitMs: 0 });
          }
          expect(b.events).toEqual(a.events);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('another seed gives other events', () => {
    const runs = [1, 2].map((seed) => play({ memberCount: 3, seed }));
    for (const { advance } of runs) advance(3_000);
    expect(runs[0]!.events).not.toEqual(runs[1]!.events);
  });

  test('whatever is done to it: times go forward, terms too, and what is applied agrees', () => {
    fc.assert(
      fc.property(anySetup, anyDeeds, (setup, deeds) => {
        const { cluster, events, advance, act } = play(setup);
        for (const deed of deeds) act(deed);
        advance(1_000);
        const times = events.map(({ atNs }) => atNs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const terms = new Map<string, number>();
        for (const event of events) {
          if (event.type !== 'member') continue;
          // A crash may take back a term that was never on disk, and so was never spoken of.
          const stopped = event.state === 'dead';
          if (!stopped) expect(event.term).toBeGreaterThanOrEqual(terms.get(event.node) ?? 0);
          terms.set(event.node, event.term);
          expect(event.tailTerms.at(-1) ?? 0).toBeLessThanOrEqual(event.term);
        }
        const lists = cluster.names.map((name) => cluster.member(name).commands);
        const longest = lists.toSorted((a, b) => b.length - a.length)[0]!;
        for (const list of lists) expect(list).toEqual(longest.slice(0, list.length));
      }),
      { numRuns: 60 },
    );
  });

  test('what was acknowledged is applied by all when all run again', () => {
    fc.assert(
      fc.property(anySetup, anyDeeds, (setup, deeds) => {
        const { cluster, advance, act } = play(setup);
        for (const deed of deeds) act(deed);
        for (const name of cluster.names) cluster.resume(name);
        advance(20_000);
        const acknowledged = cluster.requests.filter(({ outcome }) => outcome?.type === 'applied');
        for (const name of cluster.names) {
          const { commands } = cluster.member(name);
          for (const { command } of acknowledged) expect(commands).toContain(command);
        }
        for (const { outcome } of cluster.requests) {
          expect(['applied', 'dropped', 'unknown']).toContain(outcome?.type);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a lone member leads and answers', () => {
    const { cluster, advance } = play({ memberCount: 1, seed: 1 });
    advance(3_000);
    cluster.request('n1');
    advance(500);
    expect(cluster.requests[0]?.outcome).toEqual({ type: 'applied', index: 2 });
  });

  test('a request through a follower is forwarded, then answered by it', () => {
    const { cluster, advance } = play({ memberCount: 3, seed: 1 });
    advance(4_000);
    const follower = cluster.names.find((name) => name !== leaderOf(cluster))!;
    cluster.request(follower);
    expect(cluster.requests[0]?.outcome).toEqual({ type: 'forwarded' });
    advance(500);
    expect(cluster.requests[0]?.outcome?.type).toBe('applied');
  });

  test('requests end as they should when nobody answers', () => {
    const { cluster, advance } = play({ memberCount: 3, seed: 1 });
    cluster.request('n1');
    expect(cluster.requests[0]?.outcome?.type).toBe('dropped');
    advance(4_000);
    const leader = leaderOf(cluster)!;
    const others = cluster.names.filter((name) => name !== leader);
    for (const name of others) cluster.stop(name);
    cluster.request(leader);
    cluster.request(others[0]!);
    advance(100);
    expect(cluster.requests.map(({ outcome }) => outcome?.type)).toEqual([
      'dropped',
      'appended',
      'dropped',
    ]);
    advance(3_000);
    expect(cluster.requests[1]?.outcome).toEqual({ type: 'unknown', reason: 'timeout' });
  });

  test('a stopped member keeps its log, term and vote, and forgets what it applied', () => {
    const { cluster, advance } = play({ memberCount: 3, seed: 2 });
    advance(4_000);
    cluster.request('n1');
    advance(1_000);
    const before = cluster.member('n1').trace(cluster.nowNs);
    cluster.stop('n1');
    const after = cluster.member('n1').trace(cluster.nowNs);
    expect(after).toMatchObject({ state: 'dead', term: before.term, vote: before.vote });
    expect(after.lastIndex).toBe(before.stable);
    expect(cluster.member('n1').commands).toEqual([]);
    cluster.resume('n1');
    advance(1_000);
    expect(cluster.member('n1').commands).toEqual(['c1']);
  });

  test('a paused member does nothing, and takes what waited when it goes on', () => {
    const { cluster, advance } = play({ memberCount: 3, seed: 1 });
    advance(4_000);
    const leader = leaderOf(cluster)!;
    const follower = cluster.names.find((name) => name !== leader)!;
    cluster.pause(follower);
    cluster.request(leader);
    advance(1_000);
    expect(cluster.requests[0]?.outcome?.type).toBe('applied');
    expect(cluster.member(follower).commands).toEqual([]);
    cluster.resume(follower);
    advance(200);
    expect(cluster.member(follower).commands).toEqual(['c1']);
  });

  test('timing out: with pre-vote the others refuse, in the Raft of the paper there is an election', () => {
    for (const careful of [true, false]) {
      const { cluster, advance } = play({ memberCount: 3, seed: 1, careful });
      advance(4_000);
      const leader = leaderOf(cluster)!;
      const { term } = cluster.member(leader).trace(cluster.nowNs);
      const follower = cluster.names.find((name) => name !== leader)!;
      cluster.timeOut(follower);
      advance(500);
      expect(leaderOf(cluster)).toBe(careful ? leader : follower);
      const now = cluster.member(follower).trace(cluster.nowNs);
      expect(now.term).toBe(careful ? term : term + 1);
    }
  });
});

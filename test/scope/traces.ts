/** Made-up traces for tests of the scope. */
import fc from 'fast-check';
import { LiveCluster } from '../../harness/scope/live/live-cluster.ts';
import type { ScopeTrace } from '../../harness/scope/scope-trace.ts';
import type { MemberTrace, MessageTrace, TraceEvent } from '../../harness/sim/trace.ts';

export const NAMES: readonly string[] = ['n1', 'n2', 'n3'];

const TIME_MAX = 2_000;

const node = fc.constantFrom(...NAMES);
const time = fc.integer({ min: 0, max: TIME_MAX });

const member: fc.Arbitrary<TraceEvent> = fc.record({
  type: fc.constant('member' as const),
  atNs: time,
  node,
  state: fc.constantFrom<MemberTrace['state']>('running', 'paused', 'dead'),
  role: fc.constantFrom<MemberTrace['role']>('follower', 'preCandidate', 'candidate', 'leader'),
  term: fc.integer({ min: 1, max: 3 }),
  vote: fc.option(node, { nil: undefined }),
  leader: fc.option(node, { nil: undefined }),
  commit: fc.nat(5),
  applied: fc.nat(5),
  stable: fc.nat(5),
  lastIndex: fc.nat(5),
  firstIndex: fc.constant(1),
  tailTerms: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 }),
  electionElapsedTicks: fc.nat(20),
  electionTimeoutTicks: fc.integer({ min: 10, max: 20 }),
  tickMs: fc.constant(1e-5),
});

const message: fc.Arbitrary<TraceEvent> = fc
  .record({
    type: fc.constant('message' as const),
    atNs: time,
    travels: fc.oneof(fc.nat(50), fc.nat(TIME_MAX)),
    from: node,
    to: node,
    kind: fc.constantFrom('MsgApp', 'MsgHeartbeat', 'MsgAppResp', 'MsgVote'),
    term: fc.integer({ min: 1, max: 3 }),
    text: fc.constant(''),
    fate: fc.constantFrom<MessageTrace['fate']>('delivered', 'lost', 'cut', 'dead'),
  })
  .map(({ travels, ...rest }) => ({ ...rest, sentNs: Math.max(0, rest.atNs - travels) }));

const fault: fc.Arbitrary<TraceEvent> = fc.record({
  type: fc.constant('fault' as const),
  atNs: time,
  id: fc.nat(3),
  kind: fc.constantFrom('kill', 'partition-one'),
  step: fc.constantFrom('inject', 'injected', 'heal', 'healed'),
  description: fc.constant(''),
  nodes: fc.constant(['n1']),
});

const other: fc.Arbitrary<TraceEvent> = fc.oneof(
  fc.record({
    type: fc.constantFrom('fact' as const, 'disk' as const),
    atNs: time,
    node,
    text: fc.string(),
  }),
  fc.record({ type: fc.constant('failure' as const), atNs: time, text: fc.string() }),
);

/** In order of time, with many messages under way at once. */
export const anyEvents: fc.Arbitrary<readonly TraceEvent[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: message },
      { weight: 3, arbitrary: member },
      { weight: 1, arbitrary: fault },
      { weight: 1, arbitrary: other },
    ),
    { maxLength: 900, size: 'max' },
  )
  .map((events) => events.sort((a, b) => a.atNs - b.atNs));

export const anyTime: fc.Arbitrary<number> = fc.integer({ min: -1, max: TIME_MAX + 1 });

/** A live cluster's own trace, with a partition and a failure written into it. */
export function sampleTrace(seconds: number): ScopeTrace {
  const events: TraceEvent[] = [];
  const options = { memberCount: 5, seed: 7 };
  const cluster = new LiveCluster(options, { trace: (event) => events.push(event) });
  const partition = { type: 'fault', id: 100, kind: 'partition-halves' } as const;
  const words = { description: 'n1 n2 | n3 n4 n5', nodes: ['n1', 'n2'] };
  for (let second = 1; second < seconds; second++) {
    cluster.advanceTo(second * 1e9);
    const atNs = cluster.nowNs;
    if (second % 5 === 2) events.push({ ...partition, ...words, atNs, step: 'injected' });
    if (second % 5 === 4) events.push({ ...partition, ...words, atNs, step: 'healed' });
    cluster.request('n3');
  }
  const atNs = cluster.nowNs;
  events.push({ type: 'failure', atNs, text: 'two leaders in term 4 </script>' });
  const head = { title: 'storm sim --seed 7', seed: 7, memberNames: cluster.names };
  return { ...head, durationNs: atNs + 1e9, events };
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TraceIndex } from '../../harness/scope/timeline/trace-index.ts';
import type { MemberTrace, MessageTrace, TraceEvent } from '../../harness/sim/trace.ts';
import { anyEvents, anyTime, NAMES } from './traces.ts';

type Of<Type extends TraceEvent['type']> = Extract<TraceEvent, { type: Type }>;

function ofType<Type extends TraceEvent['type']>(
  events: readonly TraceEvent[],
  type: Type,
): readonly Of<Type>[] {
  return events.filter((event): event is Of<Type> => event.type === type);
}

/** What the index must say of a member, by going through everything from the start. */
function foldMember(events: readonly TraceEvent[], name: string, atNs: number) {
  let member: MemberTrace | undefined;
  let windNs = 0;
  let windTicks = 0;
  for (const event of events) {
    if (event.atNs > atNs) break;
    if (event.type === 'member' && event.node === name) {
      member = event;
      windNs = event.atNs;
      windTicks = event.electionElapsedTicks;
    }
    if (event.type !== 'message' || event.to !== name || event.fate !== 'delivered') continue;
    const contact = event.kind === 'MsgApp' || event.kind === 'MsgHeartbeat';
    if (!contact || event.term !== member?.term) continue;
    windNs = event.atNs;
    windTicks = 0;
  }
  if (member === undefined) return undefined;
  const stands = member.state !== 'running';
  const ticks = windTicks + (atNs - windNs) / (member.tickMs * 1e6);
  return { member, elapsedTicks: stands ? member.electionElapsedTicks : ticks };
}

describe('the index of a trace says what going through it from the start says', () => {
  test('of members and their timers', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, (events, atNs) => {
        // A contact may stand before a member's event of the same moment, or after it.
        const distinct = spread(events);
        const index = new TraceIndex(NAMES, distinct);
        for (const name of NAMES) {
          expect(index.memberAt(name, atNs)).toEqual(foldMember(distinct, name, atNs));
        }
      }),
    );
  });

  test('of messages under way, in whatever order they were sent', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, (events, atNs) => {
        const index = new TraceIndex(NAMES, events);
        const expected = ofType(events, 'message').filter(
          (message) => message.sentNs <= atNs && atNs < message.atNs,
        );
        expect(index.messages.underWayAt(atNs)).toEqual(expected);
      }),
    );
  });

  test('of messages that came to nothing', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, anyTime, (events, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const index = new TraceIndex(NAMES, events);
        const unlucky = (message: MessageTrace) => message.fate !== 'delivered';
        const expected = ofType(events, 'message').filter(
          (message) => unlucky(message) && from < message.atNs && message.atNs <= to,
        );
        expect(index.messages.endedBetween(from, to)).toEqual(expected);
      }),
    );
  });

  test('of faults in place', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, (events, atNs) => {
        const index = new TraceIndex(NAMES, events);
        const open = new Set<string>();
        for (const { id, kind, step, ...event } of ofType(events, 'fault')) {
          if (event.atNs > atNs) break;
          if (step === 'inject' || step === 'injected') open.add(`${id} ${kind}`);
          if (step === 'healed') open.delete(`${id} ${kind}`);
        }
        const found = index.faults.activeAt(atNs).map(({ id, kind }) => `${id} ${kind}`);
        expect(found.sort()).toEqual([...open].sort());
      }),
    );
  });

  test('of who leads', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, (events, atNs) => {
        const index = new TraceIndex(NAMES, events);
        const found = index.leaderships.all
          .filter(({ fromNs, toNs }) => fromNs <= atNs && atNs < toNs)
          .map(({ node, term }) => `${node} ${term}`);
        const expected = NAMES.flatMap((name) => {
          const member = index.memberAt(name, atNs)?.member;
          const leads = member?.role === 'leader' && member.state !== 'dead';
          return leads ? [`${name} ${member.term}`] : [];
        });
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });

  test('of the latest moments', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, fc.nat(20), (events, atNs, countMax) => {
        const index = new TraceIndex(NAMES, events);
        const listed = events.filter(
          ({ type, ...event }) => (type === 'fact' || type === 'fault') && event.atNs <= atNs,
        );
        const expected = countMax === 0 ? [] : listed.slice(-countMax);
        const found = index.momentsUpTo(atNs, ['fault', 'fact'], countMax);
        expect(found).toEqual(expected);
      }),
    );
  });

  test('of the next and the previous event of a kind', () => {
    fc.assert(
      fc.property(anyEvents, anyTime, (events, atNs) => {
        const index = new TraceIndex(NAMES, events);
        for (const kind of ['message', 'fact', 'fault', 'failure'] as const) {
          const times = ofType(events, kind).map((event) => event.atNs);
          expect(index.nextOf(kind, atNs)).toBe(times.find((each) => each > atNs));
          expect(index.previousOf(kind, atNs)).toBe(times.findLast((each) => each < atNs));
        }
      }),
    );
  });
});

/** The same events, no two at the same time. */
function spread(events: readonly TraceEvent[]): TraceEvent[] {
  return events.map((event, at) => ({ ...event, atNs: event.atNs + at / 1024 }));
}

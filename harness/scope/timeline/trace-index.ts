/**
 * Everything the page asks of a trace, answered for any moment by binary search: a slider may
 * be dragged through hundreds of thousands of events. Later events can be added at the end,
 * which is how the live page uses it.
 */
import { assertNever } from '../../../src/lib/assert.ts';
import type { MemberTrace, MessageTrace, TraceEvent } from '../../sim/trace.ts';
import { FaultWindows } from './fault-windows.ts';
import { Leaderships } from './leaderships.ts';
import { MessageIndex } from './message-index.ts';
import { TimedList } from './timed-list.ts';

/** Events that are listed in words. */
export type Moment = Exclude<TraceEvent, { type: 'member' } | { type: 'message' }>;
export type MomentType = Moment['type'];

/** What one can step to. */
export type StepKind = 'message' | 'fact' | 'leader' | 'fault' | 'op' | 'failure';

/** A member at some moment. */
export interface MemberAt {
  readonly member: MemberTrace;
  /** Of its election timer, with fractions; of no meaning for a leader. */
  readonly elapsedTicks: number;
}

interface NumberedMoment {
  readonly at: number;
  readonly moment: Moment;
}

export class TraceIndex {
  readonly #members = new Map<string, TimedList<MemberTrace>>();
  /** Messages that told a member of a leader and so wound its timer up again. */
  readonly #contacts = new Map<string, TimedList<MessageTrace>>();
  readonly #moments: Readonly<Record<MomentType, TimedList<NumberedMoment>>> = {
    fact: new TimedList(),
    disk: new TimedList(),
    fault: new TimedList(),
    op: new TimedList(),
    failure: new TimedList(),
  };
  readonly #leaders = new TimedList<MemberTrace>();
  #momentCount = 0;
  readonly messages: MessageIndex = new MessageIndex();
  readonly faults: FaultWindows = new FaultWindows();
  readonly leaderships: Leaderships = new Leaderships();

  constructor(memberNames: readonly string[], events: readonly TraceEvent[] = []) {
    for (const name of memberNames) {
      this.#members.set(name, new TimedList());
      this.#contacts.set(name, new TimedList());
    }
    for (const event of events) this.push(event);
  }

  /** Not earlier than any event before. */
  push(event: TraceEvent): void {
    switch (event.type) {
      case 'member':
        this.#members.get(event.node)?.push(event.atNs, event);
        if (this.leaderships.push(event)) this.#leaders.push(event.atNs, event);
        return;
      case 'message':
        this.messages.push(event);
        if (isContact(event)) this.#contacts.get(event.to)?.push(event.atNs, event);
        return;
      case 'fault':
        this.faults.push(event);
        return this.#pushMoment(event);
      case 'fact':
      case 'disk':
      case 'op':
      case 'failure':
        return this.#pushMoment(event);
      default:
        return assertNever(event);
    }
  }

  /** Undefined before it was first heard of. */
  memberAt(name: string, atNs: number): MemberAt | undefined {
    const member = this.#members.get(name)?.lastUpTo(atNs);
    if (member === undefined) return undefined;
    return { member, elapsedTicks: this.#elapsedTicks(member, atNs) };
  }

  /** The newest of these types up to `atNs`, oldest first. */
  momentsUpTo(atNs: number, types: readonly MomentType[], countMax: number): readonly Moment[] {
    return types
      .flatMap((type) => this.#moments[type].someUpTo(atNs, countMax))
      .sort((a, b) => a.at - b.at)
      .slice(-countMax)
      .map(({ moment }) => moment);
  }

  momentsOf(type: MomentType): readonly Moment[] {
    return this.#moments[type].items.map(({ moment }) => moment);
  }

  nextOf(kind: StepKind, atNs: number): number | undefined {
    return this.#listOf(kind).timeAfter(atNs);
  }

  previousOf(kind: StepKind, atNs: number): number | undefined {
    return this.#listOf(kind).timeBefore(atNs);
  }

  #listOf(kind: StepKind): Pick<TimedList<unknown>, 'timeAfter' | 'timeBefore'> {
    if (kind === 'message') return this.messages;
    return kind === 'leader' ? this.#leaders : this.#moments[kind];
  }

  #pushMoment(moment: Moment): void {
    const at = this.#momentCount++;
    this.#moments[moment.type].push(moment.atNs, { at, moment });
  }

  /**
   * A member's event carries its timer; a heartbeat that changes nothing else makes no event,
   * so the last word of a leader of its term counts as well. A timer stands still with its
   * process.
   */
  #elapsedTicks(member: MemberTrace, atNs: number): number {
    if (member.state !== 'running') return member.electionElapsedTicks;
    const tickNs = member.tickMs * 1e6;
    const contact = this.#lastContact(member, atNs);
    if (contact !== undefined) return (atNs - contact) / tickNs;
    return member.electionElapsedTicks + (atNs - member.atNs) / tickNs;
  }

  #lastContact(member: MemberTrace, atNs: number): number | undefined {
    const contacts = this.#contacts.get(member.node);
    if (contacts === undefined) return undefined;
    for (let at = contacts.countUpTo(atNs) - 1; at >= 0; at--) {
      const contact = contacts.items[at]!;
      if (contact.atNs < member.atNs) return undefined;
      if (contact.term === member.term) return contact.atNs;
    }
    return undefined;
  }
}

function isContact({ kind, fate }: MessageTrace): boolean {
  if (fate !== 'delivered') return false;
  return kind === 'MsgApp' || kind === 'MsgHeartbeat' || kind === 'MsgSnap';
}

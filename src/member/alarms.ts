import type { Alarm, AlarmRequest, AlarmType } from '../wire/internal-request.ts';

/**
 * Alarms that are on, by member and type: part of the replicated state. NOSPACE refuses what
 * grows the store, CORRUPT refuses everything, on all members alike.
 */
export class Alarms {
  readonly #active = new Map<string, Alarm>();

  constructor(from: readonly Alarm[] = []) {
    for (const alarm of from) this.#active.set(keyOf(alarm), alarm);
  }

  /** In the order of their members. */
  list(): readonly Alarm[] {
    return [...this.#active.values()].sort((a, b) =>
      a.memberId === b.memberId ? (a.type < b.type ? -1 : 1) : a.memberId < b.memberId ? -1 : 1,
    );
  }

  has(type: AlarmType): boolean {
    return [...this.#active.values()].some((alarm) => alarm.type === type);
  }

  /**
   * The alarms that were asked for, put on, or put off. Member 0 is no member, and as in etcd it
   * stands for no other: who wants all off puts each off, as `etcdctl alarm disarm` does. One without a type changes nothing: etcd
   * 3.4 dies of it, and again at every start.
   */
  apply({ action, memberId, type }: AlarmRequest): readonly Alarm[] {
    if (action === 'get')
      return this.list().filter((alarm) => type === undefined || alarm.type === type);
    if (type === undefined) return [];
    const alarm: Alarm = { memberId, type };
    if (action === 'activate') {
      this.#active.set(keyOf(alarm), alarm);
      return [alarm];
    }
    const ending = this.list().filter(
      (active) => active.type === type && active.memberId === memberId,
    );
    for (const ended of ending) this.#active.delete(keyOf(ended));
    return ending;
  }
}

function keyOf({ memberId, type }: Alarm): string {
  return `${memberId} ${type}`;
}

/**
 * The moment in which a member takes the leases over: what it then has of each must be as much
 * as clients were told, and not more than the log says with an election on top.
 */
import type { Lessor } from '../../src/lease/lessor.ts';
import type { Member } from '../../src/member/member.ts';
import type { LeasePromises } from './lease-promises.ts';
import type { Oracle } from './oracle/oracle.ts';

export class LeaseHandover {
  readonly #oracle: Oracle;
  readonly #promises: LeasePromises;
  /** Of whoever has the leases. */
  readonly #primaries = new WeakSet<Lessor>();

  constructor(oracle: Oracle, promises: LeasePromises) {
    this.#oracle = oracle;
    this.#promises = promises;
  }

  /** After each step. In words what is wrong, if anything is. */
  wrong({ machine, nowTick }: Member): string | undefined {
    const { lessor } = machine.state;
    if (lessor.isPrimary === this.#primaries.has(lessor)) return undefined;
    if (!lessor.isPrimary) {
      this.#primaries.delete(lessor);
      return undefined;
    }
    this.#primaries.add(lessor);
    for (const [id, { ttlS, remainingTtlS }] of this.#oracle.upkeepAt(machine.applied).leases) {
      const leftS = lessor.remaining(id, nowTick)?.ttlS;
      if (leftS === undefined) continue;
      const loggedS = remainingTtlS === 0 ? ttlS : remainingTtlS;
      const wrong = this.#promises.takenOver({ id, leftS, loggedS });
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
}

import type { InternalRequest } from '../wire/internal-request.ts';
import { CompactionSchedule } from './auto-compaction.ts';
import type { MemberConfig } from './config.ts';
import type { ReplicatedState } from './replicated-state.ts';

/**
 * What a leader asks for by itself: revokes of expired leases, notes of what remains of long
 * ones, compactions that are due, the cluster's version. All of it goes through the log like any
 * request, so a leader that was deposed without knowing asks in vain.
 */
export class LeaderDuties {
  readonly #revokeTicks: number;
  readonly #schedule: CompactionSchedule;
  #nextRevokeTick = 0;
  #nextVersionTick = 0;
  #lastTick = 0;

  constructor(config: MemberConfig) {
    const { tickMs } = config.timing;
    this.#revokeTicks = Math.max(Math.floor(REVOKE_INTERVAL_MS / tickMs), 1);
    this.#schedule = new CompactionSchedule(config.compaction, tickMs);
  }

  /** Called at each tick of a leader, and not otherwise: a gap means that it was none meanwhile. */
  due(nowTick: number, state: ReplicatedState): readonly InternalRequest[] {
    if (nowTick - this.#lastTick > 1) this.#schedule.pause();
    this.#lastTick = nowTick;
    const requests: InternalRequest[] = [];
    const { store, lessor } = state;
    if (nowTick >= this.#nextRevokeTick) {
      this.#nextRevokeTick = nowTick + this.#revokeTicks;
      for (const id of lessor.expired(nowTick, REVOKES_MAX))
        requests.push({ type: 'leaseRevoke', id });
      const checkpoints = lessor.dueCheckpoints(nowTick, CHECKPOINTS_MAX);
      if (checkpoints.length > 0) requests.push({ type: 'leaseCheckpoint', checkpoints });
    }
    const revision = this.#schedule.due(nowTick, store.revision, store.compactRevision);
    if (revision !== undefined) requests.push({ type: 'compaction', revision, physical: false });
    if (state.clusterVersion !== CLUSTER_VERSION && nowTick >= this.#nextVersionTick) {
      this.#nextVersionTick = nowTick + this.#revokeTicks;
      requests.push({ type: 'clusterVersion', version: CLUSTER_VERSION });
    }
    return requests;
  }
}

/** etcd's pace of revoking: so many, so often, that a storm of expiries stalls nobody. */
const REVOKE_INTERVAL_MS = 500;
const REVOKES_MAX = 500;
const CHECKPOINTS_MAX = 1_000;
/** All members are of this program, so they agree on its level. */
const CLUSTER_VERSION = '3.6.0';

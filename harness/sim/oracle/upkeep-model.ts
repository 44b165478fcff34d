/**
 * What the log decides besides keys: leases, users, alarms, members, versions. A value for each
 * index that changed any of it; the same entries must give it on every member.
 */
import { assertNever } from '../../../src/lib/assert.ts';
import type { LeaseId, MemberId } from '../../../src/lib/ids.ts';
import type { MembershipChange } from '../../../src/member/apply-membership.ts';
import type { MemberInfo } from '../../../src/member/node.ts';
import type { Alarm, AlarmRequest, LeaseCheckpoint } from '../../../src/wire/internal-request.ts';
import { type AuthModel, NO_AUTH } from './auth-model.ts';

export interface ModelLease {
  readonly ttlS: number;
  /** As a leader logged it; 0: as granted. */
  readonly remainingTtlS: number;
}

export interface UpkeepModel {
  readonly leases: ReadonlyMap<LeaseId, ModelLease>;
  readonly auth: AuthModel;
  readonly alarms: readonly Alarm[];
  readonly members: ReadonlyMap<MemberId, MemberInfo>;
  readonly removed: ReadonlySet<MemberId>;
  readonly clusterVersion: string;
  readonly downgradeTo: string | undefined;
  readonly compactRevision: number;
}

export const NO_UPKEEP: UpkeepModel = {
  leases: new Map(),
  auth: NO_AUTH,
  alarms: [],
  members: new Map(),
  removed: new Set(),
  clusterVersion: '',
  downgradeTo: undefined,
  compactRevision: 0,
};

export function withLease(upkeep: UpkeepModel, id: LeaseId, lease: ModelLease): UpkeepModel {
  return { ...upkeep, leases: new Map([...upkeep.leases, [id, lease]]) };
}

export function withoutLease(upkeep: UpkeepModel, id: LeaseId): UpkeepModel {
  const leases = new Map(upkeep.leases);
  leases.delete(id);
  return { ...upkeep, leases };
}

export function withRemaining(
  upkeep: UpkeepModel,
  checkpoints: readonly LeaseCheckpoint[],
): UpkeepModel {
  let changed = upkeep;
  for (const { id, remainingTtlS } of checkpoints) {
    const lease = changed.leases.get(id);
    if (lease === undefined) continue;
    const remaining = Math.min(Math.max(remainingTtlS, 0), lease.ttlS);
    changed = withLease(changed, id, { ...lease, remainingTtlS: remaining });
  }
  return changed;
}

export function withAlarm(upkeep: UpkeepModel, request: AlarmRequest): UpkeepModel {
  const { action, memberId, type } = request;
  if (action === 'get' || type === undefined) return upkeep;
  const others = upkeep.alarms.filter(
    (alarm) => alarm.type !== type || alarm.memberId !== memberId,
  );
  if (action === 'deactivate') return { ...upkeep, alarms: others };
  const isOn = upkeep.alarms.some((one) => one.type === type && one.memberId === memberId);
  return isOn ? upkeep : { ...upkeep, alarms: [...upkeep.alarms, { memberId, type }] };
}

/** Undefined: refused, and nothing has changed. */
export function withMembers(
  upkeep: UpkeepModel,
  change: MembershipChange,
  learnersMax: number,
): UpkeepModel | undefined {
  const { members, removed } = upkeep;
  const isTaken = (urls: readonly string[], by?: MemberId): boolean =>
    [...members.values()].some(
      ({ id, peerUrls }) => id !== by && peerUrls.some((url) => urls.includes(url)),
    );
  switch (change.type) {
    case 'add': {
      const { member } = change;
      const learners = [...members.values()].filter(({ isLearner }) => isLearner).length;
      if (removed.has(member.id) || members.has(member.id)) return undefined;
      if (isTaken(member.peerUrls)) return undefined;
      if (member.isLearner && learners >= learnersMax) return undefined;
      return { ...upkeep, members: new Map([...members, [member.id, member]]) };
    }
    case 'promote': {
      const member = members.get(change.id);
      if (!member?.isLearner) return undefined;
      return withMember(upkeep, { ...member, isLearner: false });
    }
    case 'remove': {
      if (!members.has(change.id)) return undefined;
      const left = new Map(members);
      left.delete(change.id);
      if (![...left.values()].some(({ isLearner }) => !isLearner)) return undefined;
      return { ...upkeep, members: left, removed: new Set([...removed, change.id]) };
    }
    case 'update': {
      const member = members.get(change.id);
      if (member === undefined || isTaken(change.peerUrls, change.id)) return undefined;
      return withMember(upkeep, { ...member, peerUrls: change.peerUrls });
    }
    default:
      return assertNever(change);
  }
}

export function withMember(upkeep: UpkeepModel, member: MemberInfo): UpkeepModel {
  return { ...upkeep, members: new Map([...upkeep.members, [member.id, member]]) };
}

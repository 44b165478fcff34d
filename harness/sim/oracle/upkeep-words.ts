/** Everything of a state but its keys, in words by subject: equal states have equal words. */

import { encodeBase64 } from '../../../src/auth/base64.ts';
import type { Permission } from '../../../src/auth/request.ts';
import { compareBytes } from '../../../src/lib/bytes.ts';
import type { MemberId } from '../../../src/lib/ids.ts';
import { utf8Decode, utf8Encode } from '../../../src/lib/utf8.ts';
import type { Member } from '../../../src/member/member.ts';
import type { MemberInfo } from '../../../src/member/node.ts';
import type { ConfState } from '../../../src/raft/message.ts';
import type { CheckpointState } from '../../../src/snap/checkpoint-image.ts';
import type { UpkeepModel } from './upkeep-model.ts';

/** In the order in which differences are told. */
export const SUBJECTS = [
  'leases',
  'auth',
  'alarms',
  'members',
  'voters',
  'compaction',
  'versions',
] as const;
export type Subject = (typeof SUBJECTS)[number];
export type UpkeepWords = Readonly<Record<Subject, string>>;

const KNOWN = new WeakMap<UpkeepModel, UpkeepWords>();

/** A model never changes, so that its words are made once. */
export function modelWords(model: UpkeepModel): UpkeepWords {
  const known = KNOWN.get(model) ?? describe(model);
  KNOWN.set(model, known);
  return known;
}

function describe(model: UpkeepModel): UpkeepWords {
  const { leases, auth, alarms, members, removed } = model;
  const all = [...members.values()];
  return {
    leases: sorted([...leases].map(([id, lease]) => leaseWords({ id, ...lease }))),
    auth: [
      `${auth.enabled} at ${auth.revision}`,
      sorted([...auth.users].map(([name, user]) => userWords({ name, ...user }))),
      sorted([...auth.roles].map(([name, held]) => roleWords(name, held))),
    ].join('; '),
    alarms: sorted(alarms.map(({ memberId, type }) => `${memberId} ${type}`)),
    members: tableWords(all, [...removed]),
    voters: votersWords({
      voters: all.filter(({ isLearner }) => !isLearner).map(({ id }) => id),
      learners: all.filter(({ isLearner }) => isLearner).map(({ id }) => id),
    }),
    compaction: String(model.compactRevision),
    versions: `${model.clusterVersion} ${model.downgradeTo ?? ''}`,
  };
}

/** Of a member, as it is now. */
export function memberStateWords({ machine, core }: Member): UpkeepWords {
  const { lessor, auth, alarms, membership, clusterVersion, downgradeTo, store } = machine.state;
  return stateWords({
    leases: lessor.records(),
    auth: auth.records(),
    alarms: alarms.list(),
    members: membership.list(),
    removedMembers: membership.removed(),
    confState: core.conf,
    compactRevision: store.compactRevision,
    clusterVersion,
    downgradeTo,
  });
}

/** Of a member, or of a checkpoint. */
export function stateWords(
  state: Omit<CheckpointState, 'index' | 'term' | 'storageVersion' | 'confState'> & {
    readonly confState: Pick<ConfState, 'voters' | 'learners'>;
  },
): UpkeepWords {
  const { leases, auth, alarms, clusterVersion, downgradeTo } = state;
  const users = auth.users.map(({ hashedPassword, ...user }) =>
    userWords({ ...user, hashedPassword: encodeBase64(hashedPassword) }),
  );
  return {
    leases: sorted(leases.map(leaseWords)),
    auth: [
      `${auth.enabled} at ${auth.revision}`,
      sorted(users),
      sorted(auth.roles.map(({ name, permissions }) => roleWords(name, permissions))),
    ].join('; '),
    alarms: sorted(alarms.map(({ memberId, type }) => `${memberId} ${type}`)),
    members: tableWords(state.members, state.removedMembers),
    voters: votersWords(state.confState),
    compaction: String(state.compactRevision),
    versions: `${clusterVersion} ${downgradeTo ?? ''}`,
  };
}

function leaseWords(lease: {
  readonly id: bigint;
  readonly ttlS: number;
  readonly remainingTtlS: number;
}): string {
  return `${lease.id} for ${lease.ttlS} s, ${lease.remainingTtlS} s left`;
}

function userWords(user: {
  readonly name: string;
  readonly hashedPassword: string;
  readonly noPassword: boolean;
  readonly roles: readonly string[];
}): string {
  return `${user.name} (${user.noPassword ? 'none' : user.hashedPassword}): ${sorted(user.roles)}`;
}

function roleWords(name: string, held: readonly Permission[]): string {
  const permissions = [...held].sort(
    (a, b) => compareBytes(a.key, b.key) || compareBytes(a.rangeEnd, b.rangeEnd),
  );
  const words = permissions.map(
    ({ type, key, rangeEnd }) => `${type} ${utf8Decode(key)}–${utf8Decode(rangeEnd)}`,
  );
  return `${name}: ${words.join(', ')}`;
}

export function tableWords(members: readonly MemberInfo[], removed: readonly MemberId[]): string {
  return `${sorted(members.map(memberWords))}; removed ${sorted(removed.map(String))}`;
}

function memberWords(member: MemberInfo): string {
  const { id, name, peerUrls, clientUrls, isLearner } = member;
  const role = isLearner ? 'learner' : 'voter';
  return [id, name, role, ...peerUrls, ...clientUrls].join(' ');
}

export function votersWords(conf: Pick<ConfState, 'voters' | 'learners'>): string {
  return `${sorted(conf.voters.map(String))}; learners ${sorted(conf.learners.map(String))}`;
}

function sorted(words: readonly string[]): string {
  return [...words].sort((a, b) => compareBytes(utf8Encode(a), utf8Encode(b))).join(', ');
}

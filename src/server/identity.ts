import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { MemberInfo } from '../member/node.ts';
import { askPeerMembers, type PeerMembers, type PeerRequestTls } from './peer-members.ts';
import type { InitialMember } from './settings.ts';

/** Who this member is when its directory does not say so yet. */
export interface Identity {
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  readonly members: readonly MemberInfo[];
  readonly fresh: 'newCluster' | 'joinsCluster';
}

export interface IdentityOptions {
  readonly self: InitialMember;
  readonly clusterId: ClusterId;
  readonly initialMembers: readonly InitialMember[];
  readonly state: 'new' | 'existing';
  readonly tls: PeerRequestTls;
}

/**
 * Of an empty directory. `existing`: the other members know the id that they gave this one.
 * `new`: the settings say it, unless the others know this member as one that had started: then it
 * has lost what it promised them, and must not vote as if it had promised nothing.
 */
export async function identify(options: IdentityOptions): Promise<Result<Identity, string>> {
  const others = options.initialMembers.filter(({ id }) => id !== options.self.id);
  const answers = await Promise.all(
    others.map(({ peerUrls }) => askPeerMembers(peerUrls, options.tls)),
  );
  const known = answers.filter((answer) => answer !== undefined);
  return options.state === 'new' ? begin(options, known) : join(options, known);
}

function begin(options: IdentityOptions, known: readonly PeerMembers[]): Result<Identity, string> {
  const { self, clusterId, initialMembers } = options;
  const started = known
    .filter((answer) => answer.clusterId === clusterId)
    .flatMap(({ members }) => members)
    .find(({ id, clientUrls }) => id === self.id && clientUrls.length > 0);
  if (started === undefined) {
    const members = initialMembers.map((member) => ({
      ...member,
      clientUrls: [],
      isLearner: false,
    }));
    return ok({ memberId: self.id, clusterId, members, fresh: 'newCluster' });
  }
  return err(lostDirectory(options, started.id));
}

function lostDirectory({ self }: IdentityOptions, id: MemberId): string {
  const urls = self.peerUrls.join();
  return `data-dir: is empty, but this member has already been part of the cluster: what it had promised is lost; on another member run 'etcdctl member remove ${formatId(id)}' and 'etcdctl member add ${self.name} --peer-urls=${urls}', then start this one with --initial-cluster-state existing`;
}

function join(options: IdentityOptions, known: readonly PeerMembers[]): Result<Identity, string> {
  const { self } = options;
  for (const { clusterId, members } of known) {
    const found = members.find(({ peerUrls }) => isSame(peerUrls, self.peerUrls));
    if (found === undefined) continue;
    if (found.clientUrls.length > 0) return err(lostDirectory(options, found.id));
    return ok({ memberId: found.id, clusterId, members, fresh: 'joinsCluster' });
  }
  if (known.length === 0) {
    return err(
      'initial-cluster: none of the other members answers on its peer URLs; start them, or correct initial-cluster',
    );
  }
  return err(
    `initial-cluster-state: existing, but the cluster has no member with the peer URLs ${self.peerUrls.join()}; on another member run 'etcdctl member add ${self.name} --peer-urls=${self.peerUrls.join()}' first`,
  );
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

/** A {@link FakeCluster} with an administrator's view: who is a member, what was compacted. */
import type {
  Administration,
  KeyState,
  MemberRecord,
} from '../../harness/administration/administration.ts';
import type { SideMember } from '../../harness/administration/side-member.ts';
import type { ClusterNode } from '../../harness/cluster/cluster.ts';
import type { Joining, MemberControl } from '../../harness/cluster/member-control.ts';
import type { MemberProbe } from '../../harness/member-probe.ts';
import type { ClientError } from '../../src/client/client-error.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { FakeCluster, type FakeFlaws, fakeProbe } from './fake-cluster.ts';

export interface ControlFlaws extends FakeFlaws {
  /** These calls are refused, always. */
  readonly declines?: readonly (keyof Administration)[];
  /** The first call of each kind is carried out, and its answer lost. */
  readonly losesAnswers?: boolean;
  /** So many promotions are refused first. */
  refusedPromotions?: number;
  /** What is said to be done is not. */
  readonly doesNothing?: boolean;
  readonly onOldData?: 'serves' | 'serves nobody';
  readonly oldDataIsForbidden?: boolean;
  readonly sigtermIsIgnored?: boolean;
  readonly snapshotLacksAKey?: boolean;
}

const REVISION = 50;
const KEY: KeyState = { key: 'a', value: '1', createRevision: 3, modRevision: 4, version: 2 };

export class ControlledFake extends FakeCluster {
  override readonly flaws: ControlFlaws;
  readonly control: MemberControl = new FakeControl(this);
  readonly ids: Map<string, bigint>;
  readonly learners: Set<string> = new Set();
  readonly onOldData: Set<string> = new Set();
  appliedIndex = 7;

  constructor(flaws: ControlFlaws = {}) {
    super(flaws);
    this.flaws = flaws;
    this.ids = new Map(this.nodes.map(({ name }, at) => [name, BigInt(at + 1)]));
  }

  override async start(node: string): Promise<void> {
    await super.start(node);
    if (this.onOldData.has(node) && this.flaws.onOldData === undefined) this.dead.add(node);
  }

  override answers(node: string): boolean {
    const isMute = this.onOldData.has(node) && this.flaws.onOldData !== 'serves';
    return super.answers(node) && !isMute;
  }
}

/** Every status tells of a longer log. */
export function controlledProbe(cluster: ControlledFake): MemberProbe {
  const probe = fakeProbe(cluster);
  return {
    ...probe,
    async status(node, timeoutMs) {
      const reading = await probe.status(node, timeoutMs);
      cluster.appliedIndex += 5;
      return reading && { ...reading, appliedIndex: cluster.appliedIndex };
    },
  };
}

class FakeControl implements MemberControl {
  readonly administration: Administration;
  readonly side: MemberControl['side'];
  readonly #cluster: ControlledFake;

  constructor(cluster: ControlledFake) {
    this.#cluster = cluster;
    this.administration = new FakeAdministration(cluster);
    const side: SideMember = {
      node: { name: 'side', clientUrl: 'http://fake/side' },
      isRunning: true,
      log: '',
      close: async () => void cluster.calls.push('close side'),
    };
    this.side = { open: async () => side };
  }

  peerUrl(node: string): string {
    return `http://peer/${node}`;
  }

  async stop(node: string): Promise<'ended' | 'killed'> {
    this.#cluster.calls.push(`stop ${node}`);
    this.#cluster.dead.add(node);
    return this.#cluster.flaws.sigtermIsIgnored === true ? 'killed' : 'ended';
  }

  async wipe(node: string): Promise<void> {
    this.#cluster.calls.push(`wipe ${node}`);
    this.#cluster.onOldData.delete(node);
    this.#cluster.damaged.delete(node);
  }

  async startJoining(node: string, { initialCluster, memberId }: Joining): Promise<void> {
    this.#cluster.calls.push(`join ${node} as ${memberId}: ${initialCluster}`);
    await this.#cluster.start(node);
  }

  async saveData(node: string): Promise<void> {
    this.#cluster.calls.push(`save ${node}`);
  }

  async restoreData(node: string): Promise<boolean> {
    if (this.#cluster.flaws.oldDataIsForbidden === true) return false;
    this.#cluster.calls.push(`old ${node}`);
    this.#cluster.onOldData.add(node);
    return true;
  }

  noteWhole(node: string): void {
    this.#cluster.calls.push(`whole ${node}`);
  }
}

class FakeAdministration implements Administration {
  readonly #cluster: ControlledFake;
  readonly #lost = new Set<string>();
  #nextId = 100n;
  #compacted = 0;

  constructor(cluster: ControlledFake) {
    this.#cluster = cluster;
  }

  async members(through: ClusterNode): Promise<Result<MemberRecord[], ClientError>> {
    return this.#answer('members', through, () => this.#records());
  }

  async addMember(
    through: ClusterNode,
    { peerUrl, isLearner }: { readonly peerUrl: string; readonly isLearner: boolean },
  ): Promise<Result<MemberRecord[], ClientError>> {
    const { ids, learners } = this.#cluster;
    const name = peerUrl.replace('http://peer/', '');
    if (ids.has(name)) return err(refusal('Peer URLs already exists'));
    return this.#answer('addMember', through, () => {
      ids.set(name, this.#nextId++);
      if (isLearner) learners.add(name);
      return this.#records();
    });
  }

  async removeMember(through: ClusterNode, id: bigint): Promise<Result<object, ClientError>> {
    const name = this.#nameOf(id);
    if (name === undefined) return err(refusal('member not found'));
    return this.#answer('removeMember', through, () => {
      if (this.#cluster.flaws.doesNothing !== true) this.#cluster.ids.delete(name);
      return {};
    });
  }

  async promoteMember(through: ClusterNode, id: bigint): Promise<Result<object, ClientError>> {
    const { flaws, learners } = this.#cluster;
    if ((flaws.refusedPromotions ?? 0) > 0) {
      flaws.refusedPromotions = (flaws.refusedPromotions ?? 0) - 1;
      return err(refusal('can only promote a learner member which is in sync with leader'));
    }
    if (!learners.has(this.#nameOf(id) ?? '')) return err(refusal('no learner'));
    return this.#answer('promoteMember', through, () => {
      learners.delete(this.#nameOf(id)!);
      return {};
    });
  }

  async status(
    through: ClusterNode,
  ): Promise<
    Result<
      { memberId: bigint; leader: bigint | undefined; dbSizeBytes: number; isLearner: boolean },
      ClientError
    >
  > {
    const { ids, leader } = this.#cluster;
    return this.#answer('status', through, () => ({
      memberId: ids.get(through.name)!,
      leader: ids.get(leader),
      dbSizeBytes: 4096,
      isLearner: false,
    }));
  }

  async moveLeader(leader: ClusterNode, target: bigint): Promise<Result<object, ClientError>> {
    if (leader.name !== this.#cluster.leader) return err(refusal('not leader'));
    return this.#answer('moveLeader', leader, () => {
      if (this.#cluster.flaws.doesNothing !== true) this.#cluster.leader = this.#nameOf(target)!;
      return {};
    });
  }

  async revision(through: ClusterNode): Promise<Result<number, ClientError>> {
    return this.#answer('revision', through, () => REVISION);
  }

  async compact(
    through: ClusterNode,
    { revision }: { readonly revision: number },
  ): Promise<Result<object, ClientError>> {
    return this.#answer('compact', through, () => {
      if (this.#cluster.flaws.doesNothing !== true) this.#compacted = revision;
      return {};
    });
  }

  async defragment(through: ClusterNode): Promise<Result<object, ClientError>> {
    return this.#answer('defragment', through, () => ({}));
  }

  async keysAt(through: ClusterNode, revision: number): Promise<Result<KeyState[], ClientError>> {
    if (revision < this.#compacted) {
      return err(refusal('mvcc: required revision has been compacted'));
    }
    const isLacking = through.name === 'side' && this.#cluster.flaws.snapshotLacksAKey === true;
    return this.#answer('keysAt', through, () => (isLacking ? [] : [KEY]));
  }

  async snapshot(through: ClusterNode): Promise<Result<Uint8Array, ClientError>> {
    return this.#answer('snapshot', through, () => new Uint8Array(2048));
  }

  #answer<Value>(
    what: keyof Administration,
    { name }: ClusterNode,
    act: () => Value,
  ): Result<Value, ClientError> {
    const { flaws } = this.#cluster;
    if (name !== 'side' && !this.#cluster.answers(name)) return err(refusal('connection refused'));
    if (flaws.declines?.includes(what)) return err(refusal(`${what} declined`));
    const value = act();
    if (flaws.losesAnswers !== true || this.#lost.has(what)) return ok(value);
    this.#lost.add(what);
    return err(refusal('deadline exceeded'));
  }

  #records(): MemberRecord[] {
    return [...this.#cluster.ids].map(([name, id]) => ({
      id,
      name,
      peerUrls: [`http://peer/${name}`],
      isLearner: this.#cluster.learners.has(name),
    }));
  }

  #nameOf(id: bigint): string | undefined {
    return [...this.#cluster.ids].find(([, known]) => known === id)?.[0];
  }
}

function refusal(message: string): ClientError {
  return { code: 14, message, definite: false };
}

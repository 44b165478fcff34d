/** Administration of a process cluster: a member's files are in the run directory. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatId } from '../../../src/lib/ids.ts';
import type { Administration } from '../../administration/administration.ts';
import { RPC_ADMINISTRATION } from '../../administration/rpc-administration.ts';
import type { SideCluster } from '../../administration/side-member.ts';
import type { FaultAtlas } from '../../sim/disk/fault-atlas.ts';
import { ClusterError } from '../cluster.ts';
import { type Joining, joiningFlags, type MemberControl, STOP_MS } from '../member-control.ts';
import type { Links } from './links/links.ts';
import type { Member } from './member.ts';

/** What a control needs to know of its cluster. */
export interface ControlledProcesses {
  memberOf(node: string): Member;
  start(node: string): Promise<void>;
  /** Where its files are. */
  backing(node: string): string;
  peerUrl(node: string): string;
  links(): Links;
  readonly atlas: FaultAtlas;
  readonly side: SideCluster;
}

export class ProcessControl implements MemberControl {
  readonly administration: Administration = RPC_ADMINISTRATION;
  readonly side: SideCluster;
  readonly #cluster: ControlledProcesses;

  constructor(cluster: ControlledProcesses) {
    this.#cluster = cluster;
    this.side = cluster.side;
  }

  peerUrl(node: string): string {
    return this.#cluster.peerUrl(node);
  }

  async stop(node: string): Promise<'ended' | 'killed'> {
    const hasEnded = await this.#cluster.memberOf(node).stop(STOP_MS);
    return hasEnded ? 'ended' : 'killed';
  }

  async wipe(node: string): Promise<void> {
    this.#requireDead(node);
    rmSync(this.#cluster.backing(node), { recursive: true, force: true });
  }

  async startJoining(node: string, joining: Joining): Promise<void> {
    const member = this.#requireDead(node);
    await this.#cluster.links().know(formatId(joining.memberId), node);
    member.setExtraFlags(joiningFlags(joining));
    await this.#cluster.start(node);
  }

  async saveData(node: string): Promise<void> {
    this.#requireDead(node);
    const copy = this.#copy(node);
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(join(copy, '..'), { recursive: true, mode: 0o700 });
    cpSync(this.#cluster.backing(node), copy, { recursive: true });
  }

  async restoreData(node: string): Promise<boolean> {
    this.#requireDead(node);
    const copy = this.#copy(node);
    if (!existsSync(copy)) throw new ClusterError(`there is no copy of the data of ${node}`);
    if (!this.#cluster.atlas.mayDestroy(node)) return false;
    this.#cluster.atlas.noteDestroyed(node);
    const backing = this.#cluster.backing(node);
    rmSync(backing, { recursive: true, force: true });
    cpSync(copy, backing, { recursive: true });
    return true;
  }

  noteWhole(node: string): void {
    this.#cluster.atlas.noteWhole(node);
  }

  #copy(node: string): string {
    return join(this.#cluster.backing(node), '..', '.saved', node);
  }

  #requireDead(node: string): Member {
    const member = this.#cluster.memberOf(node);
    if (member.isRunning) throw new ClusterError(`${node} runs: kill it first`);
    return member;
  }
}

/** Administration of a docker cluster: a member's files are on its holder's volume. */
import type { Administration } from '../../administration/administration.ts';
import { RPC_ADMINISTRATION } from '../../administration/rpc-administration.ts';
import type { SideCluster } from '../../administration/side-member.ts';
import type { FaultAtlas } from '../../sim/disk/fault-atlas.ts';
import { ClusterError } from '../cluster.ts';
import { type Joining, joiningFlags, type MemberControl } from '../member-control.ts';
import type { DockerNode } from './docker-node.ts';
import { DATA_COMMANDS, memberPeerUrl } from './server-command.ts';

export interface ControlledNodes {
  node(name: string): DockerNode;
  readonly atlas: FaultAtlas;
  readonly side: SideCluster;
}

export class DockerControl implements MemberControl {
  readonly administration: Administration = RPC_ADMINISTRATION;
  readonly side: SideCluster;
  readonly #cluster: ControlledNodes;

  constructor(cluster: ControlledNodes) {
    this.#cluster = cluster;
    this.side = cluster.side;
  }

  peerUrl(node: string): string {
    const { ip, tls } = this.#cluster.node(node);
    return memberPeerUrl(ip, { tls: tls !== undefined });
  }

  stop(node: string): Promise<'ended' | 'killed'> {
    return this.#cluster.node(node).stop();
  }

  async wipe(node: string): Promise<void> {
    await this.#runBeside(node, DATA_COMMANDS.wipe);
  }

  async startJoining(node: string, joining: Joining): Promise<void> {
    await this.#runBeside(node, DATA_COMMANDS.join(joiningFlags(joining).join(' ')));
    await this.#cluster.node(node).start();
  }

  async saveData(node: string): Promise<void> {
    await this.#runBeside(node, DATA_COMMANDS.save);
  }

  async restoreData(node: string): Promise<boolean> {
    if (!this.#cluster.atlas.mayDestroy(node)) return false;
    this.#cluster.atlas.noteDestroyed(node);
    await this.#runBeside(node, DATA_COMMANDS.restore);
    return true;
  }

  noteWhole(node: string): void {
    this.#cluster.atlas.noteWhole(node);
  }

  async #runBeside(name: string, command: readonly string[]): Promise<void> {
    const node = this.#cluster.node(name);
    if (await node.isRunning()) throw new ClusterError(`${name} runs: kill it first`);
    await node.disk.runBeside(command);
  }
}

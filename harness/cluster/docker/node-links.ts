/**
 * The links of one node: its fault agent, and its cable. While the cable is pulled nobody reaches
 * the agent; what was asked for meanwhile is told to it when the node is back.
 */

import type Dockerode from 'dockerode';
import { type LinkTally, NO_TALLY } from '../../network/link-tally.ts';
import type { PeerLinks } from './agent/link-rules.ts';
import type { DropCounts } from './agent/rules.ts';
import { controlCall, controlDone, numbersIn, parseAnswer } from './control-call.ts';
import { connect, disconnect } from './network.ts';
import type { Holder } from './pod.ts';
import { whenListening } from './when-listening.ts';

/** What the agent's packet filter is, or why the node's links cannot be cut. */
export interface FilterReport {
  readonly available: boolean;
  readonly detail: string;
  /** Why links can be cut and not shaped; undefined: they can. */
  readonly linksProblem: string | undefined;
}

export class NodeLinks {
  readonly #holder: Holder;
  readonly #network: Dockerode.Network;
  readonly agentUrl: string;
  #isPulled = false;
  #dropFrom: readonly string[] = [];
  #peers: readonly PeerLinks[] | undefined;
  /** The last readings, for when there is no asking. */
  #counts: DropCounts = {};
  #tally: LinkTally = NO_TALLY;

  constructor(holder: Holder, network: Dockerode.Network) {
    this.#holder = holder;
    this.#network = network;
    this.agentUrl = `http://${holder.host}:${holder.agentPort}`;
  }

  /** Waits for the agent, which starts with the node, and asks what it cuts with. */
  async filter(): Promise<FilterReport> {
    const url = `${this.agentUrl}/health`;
    const answer = await whenListening(() => controlCall({ method: 'GET', url }));
    const { mechanism, error, linksProblem } = parseAnswer(answer);
    if (answer.status !== 200) {
      return { available: false, detail: String(error), linksProblem: String(error) };
    }
    const problem = typeof linksProblem === 'string' ? linksProblem : undefined;
    return { available: true, detail: String(mechanism), linksProblem: problem };
  }

  /** Replaces what the node drops; resolves when the agent's filter has changed. */
  async drop(dropFrom: readonly string[]): Promise<void> {
    this.#dropFrom = dropFrom;
    await this.#put('/grudge', { dropFrom });
  }

  /** Packets that the node has dropped since its holder started, by source address. */
  async dropCounts(): Promise<DropCounts> {
    if (!this.#isPulled) this.#counts = numbersIn(await this.#get('/counters'));
    return this.#counts;
  }

  /** Replaces the qualities of all links of the node; `peers` are all the others. */
  async shape(peers: readonly PeerLinks[]): Promise<void> {
    this.#peers = peers;
    await this.#put('/links', { peers });
  }

  async tally(): Promise<LinkTally> {
    if (!this.#isPulled) {
      this.#tally = { ...NO_TALLY, ...numbersIn(await this.#get('/tally')) };
    }
    return this.#tally;
  }

  /** Resets what runs on the connections with these peers, on this node's side. */
  async reset(peers: readonly string[]): Promise<void> {
    await this.#put('/reset', { peers });
  }

  get isPulled(): boolean {
    return this.#isPulled;
  }

  /** Off the network: for the other nodes, for clients, and for the harness. */
  async pull(): Promise<void> {
    await Promise.all([this.dropCounts(), this.tally()]);
    this.#isPulled = true;
    await disconnect(this.#network, this.#holder.id);
  }

  async plug(): Promise<void> {
    await connect(this.#network, this.#holder.id, this.#holder.ip);
    if (!this.#isPulled) return;
    await whenListening(() => controlCall({ method: 'GET', url: `${this.agentUrl}/health` }));
    this.#isPulled = false;
    await this.drop(this.#dropFrom);
    if (this.#peers !== undefined) await this.shape(this.#peers);
  }

  async #get(path: string): ReturnType<typeof controlDone> {
    return controlDone({ method: 'GET', url: `${this.agentUrl}${path}` });
  }

  async #put(path: string, body: unknown): Promise<void> {
    if (this.#isPulled) return;
    await controlDone({ method: 'PUT', url: `${this.agentUrl}${path}`, body });
  }
}

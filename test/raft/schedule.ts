/**
 * A random schedule: everything that may go wrong, in an order drawn from a seed. Messages are
 * lost, repeated and reordered, links cut, members crash with part of their writes, disks are
 * slow, leadership and membership move. TestCluster checks the invariants after every step.
 */
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import { isJoint, members } from '../../src/raft/conf-state.ts';
import type { RaftConfig } from '../../src/raft/config.ts';
import { forkedRandom } from './forked-random.ts';
import { TestCluster } from './test-cluster.ts';

export interface ScheduleOutcome {
  /** Applied on every member in the end, beyond what the schedule left behind. */
  readonly applied: number;
  readonly terms: number;
  readonly readsAnswered: number;
  readonly jointChanges: number;
}

interface Action {
  readonly weight: number;
  readonly run: () => void;
}

const NETWORK_MAX = 200;
/** A few election timeouts. */
const TICKS_PER_ATTEMPT = 20;
/** The first three begin as voters, the others join; changes concern all but the first. */
const MEMBERS = 5;

/** Throws at the first broken invariant, and if the healed cluster does not get going again. */
export function runSchedule(seed: number, steps: number): ScheduleOutcome {
  const schedule = new Schedule(seed);
  for (let i = 0; i < steps; i++) schedule.step();
  return schedule.healAndProgress();
}

/** Small limits, so that they are reached; each feature is on in about half of the runs. */
function drawConfig(random: Random): Partial<RaftConfig> {
  return {
    preVote: random.below(2) === 0,
    checkQuorum: random.below(2) === 0,
    electionTimeoutTicks: 4,
    maxMessageBytes: 40 + random.below(200),
    maxInflightMessages: 1 + random.below(4),
    maxInflightBytes: 60 + random.below(400),
    maxUncommittedBytes: 400,
    maxCommittedBytesPerTurn: 30 + random.below(100),
  };
}

class Schedule {
  readonly #random: Random;
  readonly #cluster: TestCluster;
  readonly #actions: readonly Action[];
  readonly #weightSum: number;
  /** Members whose writes do not complete for now. */
  readonly #slowDisks: Set<number> = new Set();
  /** Indexes of committed changes into and out of joint configurations. */
  readonly #jointChanges: Set<number> = new Set();
  #proposed = 0;

  constructor(seed: number) {
    this.#random = forkedRandom(seed);
    const config = drawConfig(this.#random.fork('config'));
    this.#cluster = new TestCluster({ voters: [1, 2, 3], config, seed });
    for (const id of [4, 5]) this.#cluster.join(id);
    this.#cluster.onOutputs = (_, { committed }) => {
      for (const { type, index } of committed) {
        if (type === 'confChangeV2') this.#jointChanges.add(index);
      }
    };
    this.#actions = this.#allActions();
    this.#weightSum = this.#actions.reduce((sum, { weight }) => sum + weight, 0);
  }

  step(): void {
    let draw = this.#random.below(this.#weightSum);
    const action = this.#actions.find(({ weight }) => {
      draw -= weight;
      return draw < 0;
    });
    assert(action !== undefined, 'schedule: no action drawn');
    action.run();
    // Turns mostly follow at once; where not, several inputs share one.
    for (const { id } of this.#cluster.running()) {
      if (this.#random.below(4) !== 0) this.#turn(Number(id));
    }
  }

  /** Everything works again: then one leader emerges and every member applies a last proposal. */
  healAndProgress(): ScheduleOutcome {
    const cluster = this.#cluster;
    cluster.heal();
    for (const { id, node } of cluster.members.values()) {
      if (node === undefined) cluster.restart(Number(id));
    }
    const ATTEMPTS_MAX = 20;
    let attempts = 0;
    while (!cluster.run(TICKS_PER_ATTEMPT, () => this.#allApplied('last'))) {
      // A leader may still be deposed by a member that comes back with a higher term.
      assert(attempts++ < ATTEMPTS_MAX, 'schedule: no progress after healing');
      this.#propose('last');
    }
    cluster.settle();
    const states = this.#members().map(({ state }) => state.join());
    assert(new Set(states).size === 1, 'schedule: members differ after healing');
    const leader = cluster.leader();
    assert(leader !== undefined, 'schedule: no leader after healing');
    return {
      applied: leader.state.length,
      terms: leader.running.status().term,
      readsAnswered: cluster.readsAnswered,
      jointChanges: this.#jointChanges.size,
    };
  }

  #members(): ReturnType<TestCluster['running']> {
    const leader = this.#cluster.leader();
    if (leader === undefined) return [];
    const current = members(leader.running.status().conf);
    return this.#cluster.running().filter(({ id }) => current.includes(id));
  }

  #allApplied(text: string): boolean {
    const current = this.#members();
    return current.length > 0 && current.every(({ state }) => state.includes(text));
  }

  #propose(text: string): void {
    const leader = this.#cluster.leader();
    if (leader !== undefined) this.#cluster.propose(Number(leader.id), text);
  }

  #allActions(): readonly Action[] {
    return [
      { weight: 300, run: () => this.#onMessage((at) => this.#cluster.deliver(at)) },
      { weight: 120, run: () => this.#onMember((id) => this.#completeWrite(id)) },
      { weight: 40, run: () => this.#onMember((id) => this.#cluster.tick(id)) },
      { weight: 30, run: () => this.#onMember((id) => this.#proposeNext(id)) },
      { weight: 40, run: () => this.#onMember((id) => this.#cluster.read(id)) },
      { weight: 10, run: () => this.#onMessage((at) => this.#lose(at)) },
      { weight: 10, run: () => this.#onMessage((at) => this.#repeat(at)) },
      { weight: 4, run: () => this.#onMember((id) => this.#crash(id)) },
      { weight: 20, run: () => this.#restart() },
      { weight: 4, run: () => this.#newPhase() },
      { weight: 5, run: () => this.#onMember((id) => this.#checkpoint(id)) },
      { weight: 2, run: () => this.#onMember((id) => this.#transfer(id)) },
      { weight: 6, run: () => this.#onMember((id) => this.#changeMembership(id)) },
      { weight: 2, run: () => this.#onMember((id) => this.#unreachable(id)) },
    ];
  }

  #onMember(run: (id: number) => void): void {
    const running = this.#cluster.running();
    if (running.length > 0) run(Number(running[this.#random.below(running.length)]!.id));
  }

  /** Mostly the oldest few, sometimes any: reordering. */
  #onMessage(run: (position: number) => void): void {
    const { length } = this.#cluster.network;
    if (length === 0) return;
    const reach = this.#random.below(4) === 0 ? length : Math.min(length, 4);
    run(this.#random.below(reach));
  }

  #turn(id: number): void {
    this.#cluster.turn(id);
    while (this.#cluster.network.length > NETWORK_MAX) this.#lose(0);
  }

  #proposeNext(id: number): void {
    this.#proposed++;
    this.#cluster.propose(id, `p${this.#proposed}${'x'.repeat(this.#random.below(20))}`);
  }

  #lose(position: number): void {
    const [message] = this.#cluster.network.splice(position, 1);
    this.#cluster.lose(message!);
    const sender = this.#cluster.members.get(message!.from)?.node;
    if (this.#random.below(2) === 0) sender?.reportUnreachable(message!.to);
  }

  /** The network promises at most once where twice would matter; elsewhere raft must cope. */
  #repeat(position: number): void {
    const message = this.#cluster.network[position]!;
    if (message.type !== 'MsgProp') this.#cluster.network.push(message);
  }

  #crash(id: number): void {
    const { length } = this.#cluster.member(id).writes;
    this.#cluster.crash(id, { writesKept: this.#random.below(length + 1) });
  }

  #restart(): void {
    const down = [...this.#cluster.members.values()].filter(({ node }) => node === undefined);
    if (down.length > 0) this.#cluster.restart(Number(down[this.#random.below(down.length)]!.id));
  }

  /** Trouble comes in stretches: an isolated leader matters only if it lasts an election. */
  #newPhase(): void {
    this.#cluster.heal();
    this.#slowDisks.clear();
    const member = 1 + this.#random.below(MEMBERS);
    switch (this.#random.below(8)) {
      case 0:
      case 1:
        return this.#cluster.isolate(Number(this.#cluster.leader()?.id ?? member));
      case 2: {
        const to = 1 + this.#random.below(MEMBERS);
        this.#cluster.cut.add(`${member}>${to}`).add(`${to}>${1 + this.#random.below(MEMBERS)}`);
        return;
      }
      case 3:
        this.#slowDisks.add(member).add(1 + this.#random.below(MEMBERS));
        return;
      default:
      // Calm.
    }
  }

  #completeWrite(id: number): void {
    if (!this.#slowDisks.has(id)) this.#cluster.completeWrite(id);
  }

  #checkpoint(id: number): void {
    const { core } = this.#cluster.node(id);
    const { log } = core;
    if (log.pendingSnapshot !== undefined || log.applied <= core.snapshot.index) return;
    this.#cluster.checkpoint(id, this.#random.below(6));
  }

  #transfer(id: number): void {
    this.#cluster.node(id).transferLeadership(BigInt(1 + this.#random.below(MEMBERS)));
  }

  #changeMembership(id: number): void {
    this.#cluster.proposeConfChange(id, this.#drawChange(id));
  }

  /** Half of them of one member, the others joint; a joint one is mostly left again. */
  #drawChange(id: number): string {
    const below = (count: number): number => this.#random.below(count);
    const single = (): string =>
      `${['addVoter', 'addVoter', 'addLearner', 'remove'][below(4)]} ${2 + below(MEMBERS - 1)}`;
    if (isJoint(this.#cluster.node(id).status().conf) ? below(4) !== 0 : below(20) === 0) return '';
    if (below(2) === 0) return single();
    const changes = Array.from({ length: 1 + below(3) }, single).join(', ');
    return below(3) === 0 ? `explicit: ${changes}` : changes;
  }

  #unreachable(id: number): void {
    const peer = BigInt(1 + this.#random.below(MEMBERS));
    if (this.#random.below(2) === 0) this.#cluster.node(id).reportUnreachable(peer);
    else this.#cluster.node(id).reportRefused(peer);
  }
}

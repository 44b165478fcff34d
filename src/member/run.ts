import { assert } from '../lib/assert.ts';
import { formatId, type MemberId, type RequestId } from '../lib/ids.ts';
import type { Message, StorageAppend } from '../raft/message.ts';
import type { DueCheckpoint, Input, Outcome } from './input.ts';
import type { LoopPorts } from './loop-ports.ts';
import type { Member } from './member.ts';
import {
  decodePeerQuestion,
  encodePeerValue,
  type PeerAnswer,
  type PeerQuestion,
} from './peer-question.ts';
import { StorageError } from './storage.ts';

/**
 * The one loop that carries a member's outputs out: sends, persists, answers. Inputs are
 * stepped as they arrive; what they led to is collected once per turn, so that everything
 * that arrived together shares one log write and one message per peer. The same loop runs
 * over the host's ports and the simulator's.
 */
export class MemberLoop {
  readonly #member: Member;
  readonly #ports: LoopPorts;
  readonly #self: MemberId;
  readonly #tickMs: number;
  readonly #waiting = new Map<RequestId, (outcome: Outcome) => void>();
  /** Requests to remove this member itself: the others may tell of it before its own log can. */
  readonly #ownRemovals = new Set<RequestId>();
  #answers: ((question: PeerQuestion) => Promise<PeerAnswer>) | undefined;
  #timer: Disposable | undefined;
  /** Until the followers are told what is committed. */
  #untold: Disposable | undefined;
  #turnDue = false;
  #ticksDone = 0;
  #startNs = 0;

  constructor(member: Member, ports: LoopPorts, options: { self: MemberId; tickMs: number }) {
    this.#member = member;
    this.#ports = ports;
    this.#self = options.self;
    this.#tickMs = options.tickMs;
  }

  start(): void {
    const { clock, network } = this.#ports;
    network.listen({
      onMessage: (message) => this.#receive(message),
      onUnreachable: (peer) => this.step({ type: 'unreachable', peer }),
      onRefused: (peer) => this.step({ type: 'refused', peer }),
      onSnapshotSent: (peer, delivered) => this.step({ type: 'snapshotSent', peer, delivered }),
      onRemoved: () => this.#onRemoved(),
      onAsk: (_, question) => this.#answerPeer(question),
    });
    this.#startNs = clock.nowNs();
    this.#timer = clock.every(this.#tickMs, () => this.#onTimer());
    this.#schedule();
  }

  /** Stops ticking and answers everybody who still waits: nothing further is carried out. */
  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#untold?.[Symbol.dispose]();
    for (const [id, resolve] of this.#waiting) resolve({ id, type: 'failed', error: 'stopped' });
    this.#waiting.clear();
  }

  /** Who answers what other members ask; until then nobody does. */
  answerWith(answer: (question: PeerQuestion) => Promise<PeerAnswer>): void {
    this.#answers = answer;
  }

  get stopped(): boolean {
    return this.#timer === undefined;
  }

  step(input: Input): void {
    if (this.stopped) return;
    this.#guard(() => this.#member.step(input));
    this.#schedule();
  }

  /** Steps a request and resolves with what became of it. */
  request(input: Extract<Input, { readonly id: RequestId }>): Promise<Outcome> {
    const { id } = input;
    if (this.stopped) return Promise.resolve({ id, type: 'failed', error: 'stopped' });
    const removes = input.type === 'changeMembership' && input.change.type === 'remove';
    if (removes && input.change.id === this.#self) this.#ownRemovals.add(id);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.step(input);
    });
  }

  /** Ticks that a stalled process missed are made up only in part: a burst would look like silence. */
  #onTimer(): void {
    const MADE_UP_MAX = 2;
    const elapsedMs = (this.#ports.clock.nowNs() - this.#startNs) / 1e6;
    const due = Math.floor(elapsedMs / this.#tickMs) - this.#ticksDone;
    this.#ticksDone += due;
    for (let i = 0; i < Math.min(due, MADE_UP_MAX); i++) this.step({ type: 'tick' });
  }

  #schedule(): void {
    if (this.#turnDue || this.stopped) return;
    this.#turnDue = true;
    this.#ports.clock.soon(() => {
      this.#turnDue = false;
      if (!this.stopped) this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    const outputs = this.#member.takeOutputs();
    if (outputs === undefined) return;
    if (outputs.peers !== undefined) this.#ports.network.setPeers(outputs.peers);
    if (outputs.messages.length > 0) this.#beforeSend();
    for (const message of outputs.messages) this.#ports.network.send(message.to, message);
    if (outputs.append !== undefined) void this.#persist(outputs.append);
    for (const outcome of outputs.outcomes) this.#answer(outcome);
    for (const fact of outputs.facts) this.#ports.observer.onFact(fact);
    if (outputs.checkpoint !== undefined) void this.#saveCheckpoint(outputs.checkpoint);
    this.#ports.failpoints?.hit('raftBeforeAdvance');
    this.#tellCommitSoon();
    // There may be more than one turn's worth; input that arrived meanwhile goes first.
    this.#schedule();
  }

  /** The next requests take the news along, if they come in time. */
  #tellCommitSoon(): void {
    const { commit } = this.#member;
    if (this.#untold !== undefined || !this.#member.hasUntoldCommit(commit)) return;
    this.#untold = this.#ports.clock.after(COMMIT_NEWS_MS, () => {
      this.#untold = undefined;
      if (this.stopped) return;
      if (this.#member.hasUntoldCommit(commit)) this.step({ type: 'tellCommit' });
      else this.#tellCommitSoon();
    });
  }

  async #persist(append: StorageAppend): Promise<void> {
    try {
      await this.#ports.storage.append(append, (checkpoint) => {
        this.step({ type: 'snapshotInstalled', checkpoint });
      });
    } catch (error) {
      // What was written since the last good sync may be gone: going on could break promises.
      return this.#ports.onFatal('the log cannot be written', error);
    }
    if (this.stopped) return;
    this.#beforeAnswers(append);
    for (const response of append.responses) this.#deliver(response);
  }

  /** What a follower says of its writes goes out here. */
  #beforeAnswers({ responses }: StorageAppend): void {
    if (this.#ports.failpoints === undefined) return;
    if (responses.some(({ to }) => to !== this.#self)) this.#beforeSend();
  }

  #beforeSend(): void {
    const { failpoints } = this.#ports;
    if (failpoints === undefined) return;
    const leads = this.#member.leader === this.#self;
    failpoints.hit(leads ? 'raftBeforeLeaderSend' : 'raftBeforeFollowerSend');
  }

  #receive(message: Message): void {
    const { failpoints } = this.#ports;
    if (failpoints !== undefined && message.type === 'MsgHeartbeat') {
      if (failpoints.hit('raftDropHeartbeat') !== undefined) return;
    }
    this.step({ type: 'message', message });
  }

  async #answerPeer(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const question = decodePeerQuestion(bytes);
    if (this.stopped || this.#answers === undefined || !question.ok) return undefined;
    return encodePeerValue(await this.#answers(question.value));
  }

  #deliver(response: Message): void {
    if (response.to === this.#self) this.step({ type: 'message', message: response });
    else this.#ports.network.send(response.to, response);
  }

  #onRemoved(): void {
    this.#ports.observer.onFact({ type: 'removedFromCluster' });
    for (const id of this.#ownRemovals) this.#waiting.get(id)?.({ type: 'changed', id });
    for (const id of this.#ownRemovals) this.#waiting.delete(id);
  }

  #answer(outcome: Outcome): void {
    const resolve = this.#waiting.get(outcome.id);
    const isOwnRemoval = this.#ownRemovals.delete(outcome.id);
    if (resolve === undefined && isOwnRemoval) return;
    assert(resolve !== undefined, `nobody waits for request ${formatId(outcome.id)}`);
    this.#waiting.delete(outcome.id);
    resolve(outcome);
  }

  async #saveCheckpoint(image: DueCheckpoint): Promise<void> {
    try {
      const meta = await this.#ports.storage.saveCheckpoint(image);
      this.#ports.log.info('saved checkpoint', { index: meta.index, term: meta.term });
      this.step({ type: 'checkpointSaved', meta });
    } catch (error) {
      if (error instanceof StorageError)
        return this.#ports.onFatal('the log cannot be written', error);
      // A checkpoint, old or new, and all of the log that it needs are there: nothing is lost yet.
      this.#ports.log.error('checkpoint failed; will try again', { error: String(error) });
      this.step({ type: 'checkpointFailed' });
    }
  }

  /** A failed assertion is a bug in this program: the member dies and says why. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#ports.onFatal('internal error', error);
    }
  }
}

/**
 * How long followers may lack the news that something is committed. Nobody who asked for it waits
 * so long; who watches there may.
 */
const COMMIT_NEWS_MS = 1;

/** etcdserverpb.Watch: what its one call means. */
import type { Revision } from '../lib/ids.ts';
import type { MemberNode } from '../member/node.ts';
import type { WatchRequest, WatchResult } from '../mvcc/watch-request.ts';
import type { Random } from '../ports/random.ts';
import type { Caller } from './caller.ts';
import { serviceError } from './errors.ts';
import type { Answer, ResponseHeader } from './response.ts';
import type { StreamSink, StreamSource } from './stream.ts';
import type { LeaderMonitor } from './watch-leader.ts';
import { refuseWatch, type WatchGate } from './watch-permission.ts';
import { WatchSession } from './watch-session.ts';

export type WatchResponse = Answer<WatchResult>;

export interface WatchServiceOptions {
  /** Between progress notifications, before jitter of up to a tenth. At least 100. */
  readonly progressIntervalMs: number;
  /** From this size on the wire, responses to who asked for it come in pieces. */
  readonly fragmentBytes: number;
  /** Requests of one stream that wait for an answer from its member; one more ends the stream. */
  readonly waitingMax: number;
}

/** etcd's --watch-progress-notify-interval; --max-request-bytes and its allowance for gRPC. */
export const DEFAULT_WATCH_OPTIONS: WatchServiceOptions = {
  progressIntervalMs: 600_000,
  fragmentBytes: 1_572_864 + 524_288,
  waitingMax: 1024,
};

const PROGRESS_INTERVAL_MS_MIN = 100;

export interface WatchServiceParts {
  readonly node: Pick<MemberNode, 'status' | 'watches' | 'nowTick' | 'tickMs'>;
  readonly gate: WatchGate;
  readonly leaders: LeaderMonitor;
  readonly random: Pick<Random, 'below'>;
}

/**
 * Streams of a member. Requests of a stream are taken as they come: a front end must not read on
 * while its client does not take the answers.
 */
export class WatchService {
  readonly #parts: WatchServiceParts;
  readonly #options: WatchServiceOptions;
  /** Thousands of watchers may be told of one revision in one turn. */
  #header: { readonly header: ResponseHeader; readonly tick: number } | undefined;

  constructor(parts: WatchServiceParts, options: WatchServiceOptions = DEFAULT_WATCH_OPTIONS) {
    this.#parts = parts;
    this.#options = options;
  }

  open(caller: Caller, sink: StreamSink<WatchResponse>): StreamSource<WatchRequest> {
    const { node, gate, leaders } = this.#parts;
    const session = new WatchSession({
      sink,
      headerAt: (revision) => this.#headerAt(revision),
      revision: () => node.watches.revision,
      refuse: (request) => refuseWatch(gate, caller, request),
      fragmentBytes: this.#options.fragmentBytes,
      waitingMax: this.#options.waitingMax,
    });
    const { isLearner, leader } = node.status();
    if (isLearner) return refused(sink, 'notSupportedForLearner');
    if (caller.requireLeader && leader === undefined) return refused(sink, 'noLeader');
    const detach = caller.requireLeader ? leaders.attach(() => session.end('noLeader')) : () => {};
    session.start(node.watches.open(session, this.#progressTicks()), detach);
    return session;
  }

  /** With jitter, so that clients that came together are not notified together for ever. */
  #progressTicks(): number {
    const { node, random } = this.#parts;
    const intervalMs = Math.max(this.#options.progressIntervalMs, PROGRESS_INTERVAL_MS_MIN);
    const jitterMs = random.below(Math.max(1, Math.floor(intervalMs / 10)));
    return Math.ceil((intervalMs + jitterMs) / node.tickMs);
  }

  #headerAt(revision: Revision): ResponseHeader {
    const { node } = this.#parts;
    const { nowTick } = node;
    const last = this.#header;
    if (last?.tick === nowTick && last.header.revision === revision) return last.header;
    const { clusterId, memberId, term } = node.status();
    const header = { clusterId, memberId, revision, raftTerm: term };
    this.#header = { header, tick: nowTick };
    return header;
  }
}

function refused(
  sink: StreamSink<WatchResponse>,
  failure: 'notSupportedForLearner' | 'noLeader',
): StreamSource<WatchRequest> {
  sink.end(serviceError(failure));
  return { receive: () => {}, halfClosed: () => {}, closed: () => {} };
}

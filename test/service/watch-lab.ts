/** A watch service over a history of its own, and sinks that remember. */
import type { AuthFailure } from '../../src/auth/request.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { MemberStatus } from '../../src/member/node.ts';
import { DEFAULT_WATCH_LIMITS, WatchHub } from '../../src/mvcc/watch-hub.ts';
import type {
  WatchCreateRequest,
  WatchRequest,
  WatchResult,
} from '../../src/mvcc/watch-request.ts';
import { ANONYMOUS, type Caller } from '../../src/service/caller.ts';
import type { ServiceError } from '../../src/service/errors.ts';
import type { StreamSink, StreamSource } from '../../src/service/stream.ts';
import {
  DEFAULT_WATCH_OPTIONS,
  type WatchResponse,
  WatchService,
  type WatchServiceOptions,
} from '../../src/service/watch.ts';
import { LeaderMonitor } from '../../src/service/watch-leader.ts';
import type { WatchGate } from '../../src/service/watch-permission.ts';
import { WatchHistory, type Writes, watchRequest } from '../mvcc/watch-history.ts';

export class RecordingSink implements StreamSink<WatchResponse> {
  readonly sent: WatchResponse[] = [];
  writable = true;
  ended: { readonly error: ServiceError | undefined } | undefined;
  #callback: () => void = () => {};

  send(response: WatchResponse): void {
    this.sent.push(response);
  }

  onWritable(callback: () => void): void {
    this.#callback = callback;
  }

  end(error?: ServiceError): void {
    this.ended ??= { error };
  }

  drain(): void {
    this.writable = true;
    this.#callback();
  }

  /** What has come since the last call, without what is empty. */
  take(): Partial<WatchResult & { revision: number }>[] {
    return this.sent.splice(0).map(({ header, result }) => {
      const told: Record<string, unknown> = { revision: header.revision };
      for (const [name, value] of Object.entries(result)) {
        const isEmpty = value === 0 || value === false || value === '' || value.length === 0;
        if (name === 'watchId' || !isEmpty) told[name] = value;
      }
      return told;
    });
  }
}

export class FakeGate implements WatchGate {
  failure: AuthFailure | undefined;
  /** Whether the caller's login will have been applied in a moment. */
  isComing = false;

  identify(_caller: Caller): ReturnType<WatchGate['identify']> {
    if (this.isComing) return err('invalidAuthToken' as const);
    return this.failure === undefined ? ok(undefined) : err(this.failure);
  }

  async admit(caller: Caller): ReturnType<WatchGate['admit']> {
    await Promise.resolve();
    this.isComing = false;
    return this.identify(caller);
  }

  permit(caller: Caller): ReturnType<WatchGate['permit']> {
    return this.identify(caller);
  }
}

export class WatchLab {
  readonly history: WatchHistory = new WatchHistory();
  readonly gate: FakeGate = new FakeGate();
  readonly service: WatchService;
  readonly leaders: LeaderMonitor;
  readonly node: {
    nowTick: number;
    readonly tickMs: number;
    readonly watches: WatchHub;
    status(): MemberStatus;
  };
  leader: bigint | undefined = 0xabcn;
  isLearner = false;

  constructor(options: Partial<WatchServiceOptions> = {}, watchersPerStreamMax = 100) {
    const limits = { ...DEFAULT_WATCH_LIMITS, watchersPerStreamMax };
    this.node = {
      nowTick: 0,
      tickMs: 10,
      watches: new WatchHub(this.history, limits),
      status: () => this.#status(),
    };
    this.leaders = new LeaderMonitor(this.node, { electionMs: 1000 });
    this.service = new WatchService(
      { node: this.node, gate: this.gate, leaders: this.leaders, random: { below: () => 0 } },
      { ...DEFAULT_WATCH_OPTIONS, ...options },
    );
  }

  open(caller: Partial<Caller> = {}): {
    readonly sink: RecordingSink;
    readonly source: StreamSource<WatchRequest>;
  } {
    const sink = new RecordingSink();
    return { sink, source: this.service.open({ ...ANONYMOUS, ...caller }, sink) };
  }

  write(writes: Writes): void {
    const changes = this.history.write(writes);
    if (changes.length > 0) this.node.watches.notify(this.history.revision, changes);
  }

  /** As the member does it, and whoever watches the leader. */
  tick(ticks = 1): void {
    for (let i = 0; i < ticks; i++) {
      this.node.nowTick++;
      this.node.watches.tick(this.node.nowTick);
      this.leaders.tick();
    }
  }

  #status(): MemberStatus {
    return {
      clusterId: 0xc1n,
      memberId: 0xabcn,
      leader: this.leader,
      term: 3,
      raftIndex: 12,
      appliedIndex: 11,
      revision: this.history.revision,
      dbSizeBytes: 0,
      dbSizeInUseBytes: 0,
      isLearner: this.isLearner,
    };
  }
}

export function createRequest(
  key: string,
  rangeEnd = '',
  options: Partial<WatchCreateRequest> = {},
): WatchRequest {
  return { type: 'create', request: watchRequest(key, rangeEnd, options) };
}

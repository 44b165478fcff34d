/**
 * Clients whose answers are looked at while they come, as the simulator looks at those of its own:
 * who is told to hold something has a key that is there, watchers are told in order, and users are
 * shown what they may see. What is wrong is remembered; clients notice nothing of it.
 */
import { rangeRequest } from '../../src/client/requests.ts';
import type { Revision } from '../../src/lib/ids.ts';
import { err, ok } from '../../src/lib/result.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import type {
  FullClient,
  LeaseClient,
  UserClient,
  WatchClient,
} from '../../workloads/full-client.ts';
import type { CallOptions } from '../../workloads/kv-client.ts';
import { AccessAudit, type Touched, touchedBy, touchedByOp } from './access-audit.ts';
import { type Finding, modeOf } from './finding.ts';
import { ROOT } from './login.ts';
import { WatchAudit } from './watch-audit.ts';

/** Modes of one run that are remembered; what comes beyond is of modes that are known by then. */
const MODES_MAX = 50;

export class RunAudit {
  readonly #connect: (endpoint: string) => FullClient;
  readonly #access = new AccessAudit();
  readonly #found = new Map<string, { readonly finding: Finding; times: number }>();

  constructor(connect: (endpoint: string) => FullClient) {
    this.#connect = connect;
  }

  /** The first of each mode, with how often it came. */
  get findings(): readonly Finding[] {
    return [...this.#found.values()].map(({ finding, times }) => {
      if (times === 1) return finding;
      return { ...finding, sentence: `${finding.sentence} (${times} such answers)` };
    });
  }

  connect(endpoint: string): FullClient {
    const client = this.#connect(endpoint);
    return {
      ...client,
      ...this.#user(client, ROOT),
      lock: async (request, options) => {
        const reply = await client.lock(request, options);
        if (reply.ok) {
          const { header, result } = reply.value;
          await this.#holds(client, result.key, header.revision, options);
        }
        return reply;
      },
      campaign: (request, options) => this.#campaign(client, request, options),
      observe: async (name, count, options) => {
        const reply = await client.observe(name, count, options);
        // Its revision is that of the batch in which the news came: others may have led by then.
        return reply.ok ? ok({ ...reply.value, result: [] }) : reply;
      },
      changeAuth: async (change, options) => {
        this.#access.asked(change);
        const reply = await client.changeAuth(change, options);
        if (reply.ok) this.#access.done(change);
        return reply;
      },
      as: (user) => {
        const own = client.as(user);
        return { ...own, ...this.#user(own, user) };
      },
    };
  }

  /**
   * An answer's revision may be that of the candidate's key, long before it led: what says that it
   * leads is that its key is there afterwards, and nobody before it is.
   */
  async #campaign(
    client: FullClient,
    request: Parameters<FullClient['campaign']>[0],
    options: CallOptions,
  ): ReturnType<FullClient['campaign']> {
    const reply = await client.campaign(request, options);
    if (!reply.ok) return reply;
    const { leader } = reply.value.result;
    const found = await client.range(rangeRequest({ key: leader.key }), options);
    if (!found.ok) return found;
    const { header, result } = found.value;
    if (result.kvs[0]?.createRevision === leader.rev) {
      return ok({ header, result: reply.value.result });
    }
    const message = 'elected, and the key is gone already';
    return err({ code: GrpcCode.notFound, message, definite: true });
  }

  #note(finding: Finding | undefined): void {
    if (finding === undefined) return;
    const mode = modeOf(finding);
    const known = this.#found.get(mode);
    if (known !== undefined) known.times += 1;
    else if (this.#found.size < MODES_MAX) this.#found.set(mode, { finding, times: 1 });
  }

  async #holds(
    client: LeaseClient,
    key: Uint8Array,
    revision: Revision,
    options: CallOptions,
  ): Promise<void> {
    const found = await client.range({ ...rangeRequest({ key }), revision }, options);
    if (!found.ok || found.value.result.count > 0) return;
    const words = `was told at revision ${revision} to hold a lock by key ${utf8Decode(key)}`;
    const sentence = `a client ${words}, and there was no such key`;
    this.#note({ checker: 'held keys', sentence });
  }

  #user(
    client: UserClient,
    user: string,
  ): Pick<UserClient, 'range' | 'put' | 'deleteRange' | 'txn' | 'watch'> {
    const judge = (wasOn: boolean, touched: readonly Touched[]): void => {
      const denied = wasOn ? this.#access.denied(user, touched) : undefined;
      if (denied === undefined) return;
      this.#note({ checker: 'access', sentence: `a request was granted with ${denied}` });
    };
    return {
      range: async (request, options) => {
        const wasOn = this.#access.isOn && !request.serializable;
        const reply = await client.range(request, options);
        if (reply.ok) judge(wasOn, touchedByOp({ type: 'range', request }));
        return reply;
      },
      put: async (request, options) => {
        const wasOn = this.#access.isOn;
        const reply = await client.put(request, options);
        if (reply.ok) judge(wasOn, touchedByOp({ type: 'put', request }));
        return reply;
      },
      deleteRange: async (request, options) => {
        const wasOn = this.#access.isOn;
        const reply = await client.deleteRange(request, options);
        if (reply.ok) judge(wasOn, touchedByOp({ type: 'deleteRange', request }));
        return reply;
      },
      txn: async (request, options) => {
        const wasOn = this.#access.isOn;
        const reply = await client.txn(request, options);
        if (reply.ok) judge(wasOn, touchedBy(request, reply.value.result));
        return reply;
      },
      watch: (handlers) => this.#watch(client, handlers),
    };
  }

  #watch(client: WatchClient, handlers: Parameters<WatchClient['watch']>[0]) {
    const audit = new WatchAudit();
    const call = client.watch({
      onResponse: (revision, result) => {
        this.#note(audit.told(revision, result));
        handlers.onResponse(revision, result);
      },
      onEnd: () => handlers.onEnd(),
    });
    return {
      ...call,
      create: (request: Parameters<typeof call.create>[0]) => {
        audit.created(request);
        call.create(request);
      },
    };
  }
}

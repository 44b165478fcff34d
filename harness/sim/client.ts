/**
 * Clients of simulated members. They call the services directly, over a link with latency:
 * validation, proposals and reads are the real code; only framing is left out.
 */

import type { KeyRange } from '../../src/auth/key-intervals.ts';
import { rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Index, Revision } from '../../src/lib/ids.ts';
import type { Member } from '../../src/member/member.ts';
import type { RangeRequest, TxnRequest } from '../../src/mvcc/request.ts';
import { isReadOnly, isSerializable } from '../../src/mvcc/txn.ts';
import type { WatchHub } from '../../src/mvcc/watch-hub.ts';
import type { FullClient, LockClient, UserClient } from '../../workloads/full-client.ts';
import type { KvClient } from '../../workloads/kv-client.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import type { MemberProbe } from '../member-probe.ts';
import { alarmCalls } from './client-alarms.ts';
import { authCalls } from './client-auth.ts';
import { type ClusterClient, clusterCalls } from './client-cluster.ts';
import { electionCalls } from './client-elections.ts';
import { leaseCalls } from './client-leases.ts';
import { type Check, ClientLink, type ClientParts, type Given } from './client-link.ts';
import { upkeepCalls } from './client-upkeep.ts';
import { clientUrl, type SimNode } from './node.ts';
import { wronglyAccepted, wronglyShown } from './oracle/access-audit.ts';
import type { Oracle } from './oracle/oracle.ts';
import { SimWatchCall } from './watch-call.ts';

export type { ClientParts };

/** What is asked for is an answer. */
const ANY_READ: RangeRequest = rangeRequest({ key: '/' });
/** Who may do everything, wherever anybody is asked. */
const ROOT = 'root';

export class SimClients {
  readonly #parts: ClientParts;
  readonly #watches = new Set<SimWatchCall>();
  /** Up to where every watcher of a member was up to date. */
  readonly #caughtUp = new WeakMap<WatchHub, Revision>();

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** A workload's connection to the member at a client URL. */
  connect(endpoint: string): FullClient {
    const node = this.#nodeAt(endpoint);
    const link = new ClientLink(this.#parts, node, ROOT);
    return {
      ...this.#user(link),
      ...electionCalls(link),
      ...upkeepCalls(link),
      ...alarmCalls(link),
      ...authCalls(link),
      as: (user) => this.#user(new ClientLink(this.#parts, node, user)),
    };
  }

  administrate(endpoint: string): ClusterClient {
    return clusterCalls(new ClientLink(this.#parts, this.#nodeAt(endpoint), ROOT));
  }

  /** After each step of a member: from time to time all who watch there are up to date. */
  stepped(node: SimNode, { watches: hub }: Member): void {
    if (this.#watches.size === 0 || this.#caughtUp.get(hub) === hub.revision) return;
    if (hub.stats().slowWatchers > 0) return;
    let isKnownToAll = true;
    for (const watch of this.#watches) {
      if (watch.node === node && !watch.caughtUp(hub.revision)) isKnownToAll = false;
    }
    if (isKnownToAll) this.#caughtUp.set(hub, hub.revision);
  }

  /** Watch streams that are open. */
  watches(): Iterable<SimWatchCall> {
    return this.#watches;
  }

  probe(): MemberProbe {
    const links = new Map<string, ClientLink>();
    const linkTo = ({ clientUrl: url }: ClusterNode): ClientLink => {
      const link = links.get(url) ?? new ClientLink(this.#parts, this.#nodeAt(url), ROOT);
      links.set(url, link);
      return link;
    };
    return {
      status: async (node, timeoutMs) => {
        const answer = await linkTo(node).call(
          { timeoutMs },
          async ({ maintenance }, { caller }) => {
            return maintenance.status(caller);
          },
        );
        if (!answer.ok) return undefined;
        const { result } = answer.value;
        return {
          isLeader: result.leader === result.memberId,
          term: result.term,
          commitIndex: result.raftIndex,
          appliedIndex: result.appliedIndex,
        };
      },
      linearizableRead: async (node, timeoutMs) => {
        const answer = await linkTo(node).call({ timeoutMs }, ({ kv }, { caller }) =>
          kv.range(ANY_READ, caller),
        );
        return answer.ok;
      },
      metricsText: async () => undefined,
      close: () => undefined,
    };
  }

  #user(link: ClientLink): UserClient & LockClient {
    return {
      ...this.#kv(link),
      ...leaseCalls(link),
      watch: (handlers) => {
        const call = new SimWatchCall(link, handlers, () => this.#watches.delete(call));
        this.#watches.add(call);
        return call;
      },
    };
  }

  #kv(link: ClientLink): KvClient {
    const { oracle } = this.#parts;
    return {
      range: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.range(request, caller),
          this.#checked(
            (given) =>
              oracle.compareRange(request, given) ?? stale(oracle, request.serializable, given),
            () => [request],
          ),
        ),
      put: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.put(request, caller),
          this.#checked((given) => oracle.comparePut(request, given)),
        ),
      deleteRange: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.deleteRange(request, caller),
          this.#checked((given) => oracle.compareDeleteRange(request, given)),
        ),
      txn: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.txn(request, caller),
          this.#checked(
            (given) =>
              oracle.compareTxn(request, given) ??
              stale(oracle, !isReadOnly(request) || isSerializable(request), given),
            () => (isReadOnly(request) ? rangesIn(request) : []),
          ),
        ),
      close: () => undefined,
    };
  }

  /** An answer must be right, and its client the one to have it; `shown`: by a read alone. */
  #checked<Value>(
    compare: (given: Given<Value>) => string | undefined,
    shown: () => readonly KeyRange[] = () => [],
  ): Check<Value> {
    const { oracle } = this.#parts;
    return (given) => {
      const { asker } = given;
      const wrong = compare(given);
      if (wrong !== undefined) return wrong;
      const ranges = shown();
      const detail =
        wronglyAccepted(oracle, asker, given) ??
        (ranges.length > 0
          ? wronglyShown(oracle, asker, readAt(oracle, given), ranges)
          : undefined);
      return detail === undefined ? undefined : { name: 'permission', detail };
    };
  }

  #nodeAt(endpoint: string): SimNode {
    const node = this.#parts.nodes.find(({ name }) => clientUrl(name) === endpoint);
    assert(node !== undefined, `no simulated member at ${endpoint}`);
    return node;
  }
}

/**
 * When a read may have asked for permission: what it shows is of that moment, but a large one is
 * answered later, and others have changed keys or users meanwhile.
 */
function readAt(oracle: Oracle, { arrived, applied, revision }: Given<unknown>): Index[] {
  const indexes = Array.from({ length: applied - arrived + 1 }, (_, at) => applied - at);
  return indexes.filter((index) => index === applied || oracle.revisionAt(index) === revision);
}

/** A linearizable read shows all that was committed when its client asked, known or not. */
function stale(
  oracle: Oracle,
  mayBeStale: boolean,
  { committed, applied, revision }: Given<unknown>,
): string | undefined {
  const isFresh = applied >= committed && revision >= oracle.revisionAt(committed);
  if (mayBeStale || isFresh) return undefined;
  const place = `of index ${applied}, revision ${revision}`;
  return `a read was answered with the state ${place}: ${committed} was committed when it was asked`;
}

function rangesIn(request: TxnRequest): KeyRange[] {
  const ops = [...request.success, ...request.failure];
  return [...request.compare, ...ops.flatMap((op) => (op.type === 'range' ? [op.request] : []))];
}

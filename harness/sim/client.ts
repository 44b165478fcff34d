/**
 * Clients of simulated members. They call the services directly, over a link with latency:
 * validation, proposals and reads are the real code; only framing is left out.
 */
import { rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { RangeRequest, TxnRequest } from '../../src/mvcc/request.ts';
import { isReadOnly } from '../../src/mvcc/txn.ts';
import type { FullClient } from '../../workloads/full-client.ts';
import type { KvClient } from '../../workloads/kv-client.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import type { MemberProbe } from '../member-probe.ts';
import { authCalls } from './client-auth.ts';
import { type ClusterClient, clusterCalls } from './client-cluster.ts';
import { leaseCalls } from './client-leases.ts';
import { ClientLink, type ClientParts, type Given } from './client-link.ts';
import { upkeepCalls } from './client-upkeep.ts';
import { clientUrl, type SimNode } from './node.ts';
import { permitsKeys } from './oracle/auth-model.ts';
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

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** A workload's connection to the member at a client URL. */
  connect(endpoint: string): FullClient {
    const node = this.#nodeAt(endpoint);
    const link = new ClientLink(this.#parts, node, ROOT);
    return {
      ...this.#kv(link),
      ...leaseCalls(link),
      ...upkeepCalls(link),
      ...authCalls(link),
      as: (user) => this.#kv(new ClientLink(this.#parts, node, user)),
      watch: (handlers) => {
        const call = new SimWatchCall(link, handlers, () => this.#watches.delete(call));
        this.#watches.add(call);
        return call;
      },
    };
  }

  administrate(endpoint: string): ClusterClient {
    return clusterCalls(new ClientLink(this.#parts, this.#nodeAt(endpoint), ROOT));
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

  #kv(link: ClientLink): KvClient {
    const { oracle } = this.#parts;
    return {
      range: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.range(request, caller),
          (given) => oracle.compareRange(request, given) ?? refusedRead(oracle, [request], given),
        ),
      put: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.put(request, caller),
          (given) => oracle.comparePut(request, given),
        ),
      deleteRange: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.deleteRange(request, caller),
          (given) => oracle.compareDeleteRange(request, given),
        ),
      txn: (request, options) =>
        link.call(
          options,
          ({ kv }, { caller }) => kv.txn(request, caller),
          (given) =>
            oracle.compareTxn(request, given) ??
            (isReadOnly(request) ? refusedRead(oracle, rangesIn(request), given) : undefined),
        ),
      close: () => undefined,
    };
  }

  #nodeAt(endpoint: string): SimNode {
    const node = this.#parts.nodes.find(({ name }) => clientUrl(name) === endpoint);
    assert(node !== undefined, `no simulated member at ${endpoint}`);
    return node;
  }
}

/** What a read was answered that its user may not see. */
function refusedRead(
  oracle: Oracle,
  reads: readonly { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }[],
  { applied, user }: Given<unknown>,
): { readonly name: string; readonly detail: string } | undefined {
  const auth = oracle.authAt(applied);
  const info = user === undefined ? undefined : { username: user, revision: auth.revision };
  if (reads.every((keys) => permitsKeys(auth, info, 'read', keys))) return undefined;
  const detail = `${user ?? 'nobody'} was shown keys that they may not read at index ${applied}`;
  return { name: 'permission', detail };
}

function rangesIn(
  request: TxnRequest,
): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }[] {
  const ops = [...request.success, ...request.failure];
  return [...request.compare, ...ops.flatMap((op) => (op.type === 'range' ? [op.request] : []))];
}

/**
 * Clients of simulated members. They call the services directly, over a link with latency:
 * validation, proposals and reads are the real code; only framing is left out. What breaks a
 * connection in reality breaks it here, with the same certainty about the outcome.
 */
import { type ClientError, maybeSent, neverSent, timedOut } from '../../src/client/client-error.ts';
import { rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { RangeRequest } from '../../src/mvcc/request.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Answer, Reply } from '../../src/service/response.ts';
import type { CallOptions, KvClient } from '../../workloads/kv-client.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import type { MemberProbe } from '../member-probe.ts';
import { drawNs } from './draw-ns.ts';
import type { SimLoop } from './loop.ts';
import { clientUrl, type SimNode, type SimServices } from './node.ts';
import type { Oracle } from './oracle/oracle.ts';
import type { Between } from './plan.ts';

export interface ClientParts {
  readonly loop: SimLoop;
  readonly random: Random;
  readonly latencyUs: Between;
  readonly nodes: readonly SimNode[];
  readonly oracle: Oracle;
  /** An answer that differs from the oracle's. */
  readonly onWrong: (node: SimNode, detail: string) => void;
}

/** What is asked for is an answer. */
const ANY_READ: RangeRequest = rangeRequest({ key: '/' });

export class SimClients {
  readonly #parts: ClientParts;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** A workload's connection to the member at a client URL. */
  connect(endpoint: string): KvClient {
    const { oracle } = this.#parts;
    const node = this.#nodeAt(endpoint);
    return {
      range: (request, options) =>
        this.#call(node, options, ({ kv }) => kv.range(request), {
          compare: (given) => oracle.compareRange(request, given),
        }),
      put: (request, options) =>
        this.#call(node, options, ({ kv }) => kv.put(request), {
          compare: (given) => oracle.comparePut(request, given),
        }),
      deleteRange: (request, options) =>
        this.#call(node, options, ({ kv }) => kv.deleteRange(request), {
          compare: (given) => oracle.compareDeleteRange(request, given),
        }),
      txn: (request, options) =>
        this.#call(node, options, ({ kv }) => kv.txn(request), {
          compare: (given) => oracle.compareTxn(request, given),
        }),
      close: () => undefined,
    };
  }

  probe(): MemberProbe {
    const nodeOf = ({ clientUrl: url }: ClusterNode): SimNode => this.#nodeAt(url);
    return {
      status: async (node, timeoutMs) => {
        const answer = await this.#call(nodeOf(node), { timeoutMs }, (services) =>
          services.maintenance.status(),
        );
        if (!answer.ok) return undefined;
        const { header, result } = answer.value;
        return {
          isLeader: result.leader === header.memberId,
          term: header.raftTerm,
          commitIndex: result.raftIndex,
          appliedIndex: result.appliedIndex,
        };
      },
      linearizableRead: async (node, timeoutMs) => {
        const answer = await this.#call(nodeOf(node), { timeoutMs }, ({ kv }) =>
          kv.range(ANY_READ),
        );
        return answer.ok;
      },
      metricsText: async () => undefined,
      close: () => undefined,
    };
  }

  #call<Value>(
    node: SimNode,
    { timeoutMs }: CallOptions,
    perform: (services: SimServices) => Reply<Value>,
    check?: {
      readonly compare: (given: {
        readonly revision: number;
        readonly result: Value;
      }) => string | undefined;
    },
  ): Promise<Result<Answer<Value>, ClientError>> {
    const { loop, onWrong } = this.#parts;
    return new Promise((resolve) => {
      const deadline = loop.schedule(timeoutMs * 1e6, () => resolve(err(timedOut({ sent: true }))));
      const arrive = (outcome: Result<Answer<Value>, ClientError>): void => {
        loop.schedule(this.#latencyNs(), () => {
          deadline[Symbol.dispose]();
          resolve(outcome);
        });
      };
      loop.schedule(this.#latencyNs(), () => {
        const { life } = node;
        if (life?.serving === undefined) return arrive(err(neverSent('connection refused')));
        const broken = (): void => arrive(err(maybeSent('connection lost')));
        life.onEnd.add(broken);
        const { services } = life.serving;
        life.process.schedule(0, () => {
          const answered = perform(services).then(
            (answer) => {
              // The process may have died over it.
              if (!life.onEnd.delete(broken)) return;
              if (!answer.ok) return arrive(answer);
              const { header, result } = answer.value;
              const wrong = check?.compare({ revision: header.revision, result });
              if (wrong !== undefined) onWrong(node, wrong);
              arrive(ok(answer.value));
            },
            (error: unknown) => {
              if (!life.onEnd.delete(broken)) return;
              onWrong(node, `the service threw ${String(error)}`);
              broken();
            },
          );
          // A check that throws ends the simulation.
          answered.catch((error: unknown) => {
            loop.schedule(0, () => {
              throw error;
            });
          });
        });
      });
    });
  }

  #nodeAt(endpoint: string): SimNode {
    const node = this.#parts.nodes.find(({ name }) => clientUrl(name) === endpoint);
    assert(node !== undefined, `no simulated member at ${endpoint}`);
    return node;
  }

  #latencyNs(): number {
    return drawNs(this.#parts.random, this.#parts.latencyUs);
  }
}

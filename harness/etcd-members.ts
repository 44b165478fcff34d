/** The harness's seams to members, over the etcd v3 client: workload, probe and plain keys. */

import type { ClientError } from '../src/client/client-error.ts';
import type { ClientTls } from '../src/client/connection.ts';
import { EtcdClient } from '../src/client/etcd-client.ts';
import { prefixEnd } from '../src/client/requests.ts';
import { ok, type Result } from '../src/lib/result.ts';
import { utf8Decode } from '../src/lib/utf8.ts';
import type { Answer } from '../src/service/response.ts';
import type { KvClient } from '../workloads/kv-client.ts';
import type { ClusterNode } from './cluster/cluster.ts';
import { getText } from './get-text.ts';
import type { KeyClient } from './key-client.ts';
import type { MemberProbe } from './member-probe.ts';

/** A key that no workload uses; reading it needs the same quorum as any other. */
const READ_KEY = 'storm/ready';

/** A workload's connection to the member at a client URL. */
export function connectMember(endpoint: string, tls?: ClientTls): KvClient {
  const client = new EtcdClient({ endpoint, tls });
  return {
    range: async (request, options) => answerOf(await client.range(request, options)),
    put: async (request, options) => answerOf(await client.put(request, options)),
    deleteRange: async (request, options) => answerOf(await client.deleteRange(request, options)),
    txn: async (request, options) => answerOf(await client.txn(request, options)),
    close: () => client.close(),
  };
}

/** One client per member, opened at first use and kept: they reconnect by themselves. */
export function openMemberProbe(): MemberProbe {
  const clients = new Map<string, EtcdClient>();
  const clientOf = (node: ClusterNode): EtcdClient => {
    const client = clients.get(node.clientUrl) ?? openClient(node);
    clients.set(node.clientUrl, client);
    return client;
  };
  return {
    async status(node, timeoutMs) {
      const answer = await clientOf(node).status({ timeoutMs });
      if (!answer.ok) return undefined;
      const { header, leader, raftIndex, appliedIndex, version } = answer.value;
      return {
        isLeader: leader === header.memberId,
        term: header.raftTerm,
        commitIndex: raftIndex,
        appliedIndex,
        version,
      };
    },
    async linearizableRead(node, timeoutMs) {
      const answer = await clientOf(node).get(READ_KEY, { timeoutMs });
      return answer.ok;
    },
    async metricsText(node, timeoutMs) {
      return getText(`${node.clientUrl}/metrics`, { tls: node.tls, timeoutMs });
    },
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}

/** Plain keys through one member. */
export function openKeyClient(node: ClusterNode): KeyClient {
  const client = openClient(node);
  return {
    async put(key, value, timeoutMs) {
      const answer = await client.put({ key, value }, { timeoutMs });
      return answer.ok;
    },
    async readPrefix(prefix, timeoutMs) {
      const answer = await client.range(
        { key: prefix, rangeEnd: prefixEnd(prefix) },
        { timeoutMs },
      );
      if (!answer.ok) return undefined;
      return new Map(answer.value.kvs.map((kv) => [utf8Decode(kv.key), utf8Decode(kv.value)]));
    },
    close: () => client.close(),
  };
}

export function openClient({ clientUrl, tls }: ClusterNode): EtcdClient {
  return new EtcdClient({ endpoint: clientUrl, tls });
}

/** The client spreads an answer; services and workloads keep header and result apart. */
function answerOf<Value extends { readonly header: Answer<Value>['header'] }>(
  answered: Result<Value, ClientError>,
): Result<Answer<Value>, ClientError> {
  if (!answered.ok) return answered;
  return ok({ header: answered.value.header, result: answered.value });
}

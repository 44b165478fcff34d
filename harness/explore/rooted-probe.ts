/** What the harness asks members, also while authentication is on: it asks as root then. */
import { rangeRequest } from '../../src/client/requests.ts';
import type { FullClient } from '../../workloads/full-client.ts';
import type { MemberProbe } from '../member-probe.ts';
import { connectFully } from './full-client.ts';

/** A key that no workload uses. */
const READ_KEY = 'storm/ready';

/** `plain` answers what needs no login; closing closes it too. */
export function rootedProbe(plain: MemberProbe): MemberProbe {
  const clients = new Map<string, FullClient>();
  const clientOf = (url: string): FullClient => {
    const client = clients.get(url) ?? connectFully(url);
    clients.set(url, client);
    return client;
  };
  return {
    status: (node, timeoutMs) => plain.status(node, timeoutMs),
    metricsText: (node, timeoutMs) => plain.metricsText(node, timeoutMs),
    linearizableRead: async ({ clientUrl }, timeoutMs) => {
      const read = rangeRequest({ key: READ_KEY });
      return (await clientOf(clientUrl).range(read, { timeoutMs })).ok;
    },
    close: () => {
      for (const client of clients.values()) client.close();
      plain.close();
    },
  };
}

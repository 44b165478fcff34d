/** The packet filter of the node's network namespace: cuts, loss, redirection, resets. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GOOD_LINKS } from '../../../network/link-quality.ts';
import {
  LINKS_CHAIN,
  type LossCounts,
  linkRules,
  type PeerLinks,
  PROXY_CHAIN,
  type ProxyPorts,
  parseLossCounts,
  parseResetCount,
  RESET_CHAIN,
  resetRules,
} from './link-rules.ts';
import {
  addDropCounts,
  type DropCounts,
  GRUDGE_CHAIN,
  grudgeRules,
  parseDropCounts,
} from './rules.ts';
import { runCommand } from './run-command.ts';

/** Suffixes of the iptables family, in the order of preference: the system's choice comes first. */
const FLAVOURS = ['', '-nft', '-legacy'] as const;
type Flavour = (typeof FLAVOURS)[number];

/** From TEST-NET-1: never a peer, so that probing with a real rule cuts nothing. */
const PROBE_SOURCE = '192.0.2.1';

/** Two heartbeats by default: something comes on every connection that is in use. */
const RESET_WINDOW_MS = 200;

export interface Filter {
  readonly mechanism: string;
  /** Why links cannot be shaped, only cut; undefined: they can. */
  readonly linksProblem: string | undefined;
  replace(dropFrom: readonly string[]): Promise<void>;
  counts(): Promise<DropCounts>;
  setLinks(peers: readonly PeerLinks[]): Promise<void>;
  lossCounts(): Promise<LossCounts>;
  /** Resolves, when it is over, with the number of packets that were answered with a reset. */
  reset(ips: readonly string[]): Promise<number>;
}

/** A filter that works here, or why none does: the holder must live on in either case. */
export async function openFilter(ports: ProxyPorts): Promise<Filter | string> {
  const failures: string[] = [];
  for (const flavour of FLAVOURS) {
    try {
      return await openFlavour(flavour, ports);
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  return `no usable packet filter: ${failures.join('; ')}`;
}

/** Makes the chain, proves that a rule with a counter can be set and read, and hooks it in. */
async function openFlavour(flavour: Flavour, ports: ProxyPorts): Promise<Filter> {
  const apply = (rules: string): Promise<string> =>
    runCommand(`iptables${flavour}-restore`, ['--noflush'], rules);
  const save = (): Promise<string> => runCommand(`iptables${flavour}-save`, ['-c', '-t', 'filter']);

  const mechanism = (await runCommand(`iptables${flavour}`, ['--version'])).trim();
  await apply(grudgeRules([PROBE_SOURCE]));
  if (parseDropCounts(await save())[PROBE_SOURCE] === undefined) {
    throw new Error(`${mechanism}: rule not found`);
  }
  await apply(grudgeRules([]));
  await runCommand(`iptables${flavour}`, ['-A', 'INPUT', '-j', GRUDGE_CHAIN]);
  const linksProblem = await openLinks(flavour, ports, apply).catch(messageOf);

  // Replacing rules resets their counters: what they had counted moves here first. Packets dropped
  // between the read and the commit go uncounted, so a total is a lower bound.
  let earlier: DropCounts = {};
  let earlierLoss: LossCounts = { carried: 0, lost: 0 };
  const lossCounts = async (): Promise<LossCounts> => {
    const { carried, lost } = parseLossCounts(await save());
    return { carried: earlierLoss.carried + carried, lost: earlierLoss.lost + lost };
  };
  return {
    mechanism,
    linksProblem,
    async replace(dropFrom) {
      const now = parseDropCounts(await save());
      await apply(grudgeRules(dropFrom));
      earlier = addDropCounts(earlier, now);
    },
    async counts() {
      return addDropCounts(earlier, parseDropCounts(await save()));
    },
    async setLinks(peers) {
      const now = await lossCounts();
      await apply(linkRules(peers, ports));
      earlierLoss = now;
    },
    lossCounts,
    async reset(ips) {
      await apply(resetRules(ips));
      await sleep(RESET_WINDOW_MS);
      const count = parseResetCount(await save());
      await apply(resetRules([]));
      return count;
    },
  };
}

/** Proves that every kind of rule can be set, and hooks the chains in; undefined: they can. */
async function openLinks(
  flavour: Flavour,
  ports: ProxyPorts,
  apply: (rules: string) => Promise<string>,
): Promise<undefined> {
  const incoming = { ...GOOD_LINKS, lossPercent: 10, delayMs: 1 };
  await apply(linkRules([{ ip: PROBE_SOURCE, incoming, outgoing: GOOD_LINKS }], ports));
  await apply(resetRules([PROBE_SOURCE]));
  await apply(linkRules([], ports));
  await apply(resetRules([]));
  const iptables = (...args: readonly string[]): Promise<string> =>
    runCommand(`iptables${flavour}`, args);
  await iptables('-A', 'INPUT', '-j', RESET_CHAIN);
  await iptables('-A', 'INPUT', '-j', LINKS_CHAIN);
  await iptables('-t', 'nat', '-A', 'PREROUTING', '-j', PROXY_CHAIN);
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

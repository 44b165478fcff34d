/** The packet filter of the node's network namespace: cuts, loss, redirection, resets. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GOOD_LINKS } from '../../../network/link-quality.ts';
import {
  type Cuts,
  FLAVOURS,
  type Flavour,
  openIptablesCuts,
  openNftCuts,
  PROBE_SOURCE,
} from './cuts.ts';
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
import { runCommand } from './run-command.ts';

/** Two heartbeats by default: something comes on every connection that is in use. */
const RESET_WINDOW_MS = 200;

/** What links do beside being cut. */
interface Shaping {
  setLinks(peers: readonly PeerLinks[]): Promise<void>;
  lossCounts(): Promise<LossCounts>;
  /** Resolves, when it is over, with the number of packets that were answered with a reset. */
  reset(ips: readonly string[]): Promise<number>;
}

export interface Filter extends Cuts, Shaping {
  /** Why links cannot be shaped, only cut; undefined: they can. */
  readonly linksProblem: string | undefined;
}

/** A filter that works here, or why none does: the holder must live on in either case. */
export async function openFilter(ports: ProxyPorts): Promise<Filter | string> {
  const cuts = await firstOf([
    openNftCuts,
    ...FLAVOURS.map((each) => () => openIptablesCuts(each)),
  ]);
  if (typeof cuts === 'string') return `no usable packet filter: ${cuts}`;
  const shaping = await firstOf(FLAVOURS.map((each) => () => openShaping(each, ports)));
  return typeof shaping === 'string'
    ? { ...cuts, ...NO_SHAPING, linksProblem: shaping }
    : { ...cuts, ...shaping, linksProblem: undefined };
}

/** What the first that works gives, or why none does. */
async function firstOf<Value>(tries: readonly (() => Promise<Value>)[]): Promise<Value | string> {
  const failures: string[] = [];
  for (const open of tries) {
    try {
      return await open();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  return failures.join('; ');
}

const NO_SHAPING: Shaping = {
  async setLinks(peers) {
    if (peers.length > 0) throw new Error('links cannot be shaped here');
  },
  lossCounts: async () => ({ carried: 0, lost: 0 }),
  async reset() {
    throw new Error('connections cannot be reset here');
  },
};

/** Proves that every kind of rule can be set, and hooks the chains in. */
async function openShaping(flavour: Flavour, ports: ProxyPorts): Promise<Shaping> {
  const iptables = (...args: readonly string[]): Promise<string> =>
    runCommand(`iptables${flavour}`, args);
  const apply = (rules: string): Promise<string> =>
    runCommand(`iptables${flavour}-restore`, ['--noflush'], rules);
  const save = (): Promise<string> => runCommand(`iptables${flavour}-save`, ['-c', '-t', 'filter']);

  const incoming = { ...GOOD_LINKS, lossPercent: 10, delayMs: 1 };
  await apply(linkRules([{ ip: PROBE_SOURCE, incoming, outgoing: GOOD_LINKS }], ports));
  await apply(resetRules([PROBE_SOURCE]));
  await apply(linkRules([], ports));
  await apply(resetRules([]));
  await iptables('-A', 'INPUT', '-j', RESET_CHAIN);
  await iptables('-A', 'INPUT', '-j', LINKS_CHAIN);
  await iptables('-t', 'nat', '-A', 'PREROUTING', '-j', PROXY_CHAIN);

  // Replacing rules resets their counters: what they had counted moves here first.
  let earlier: LossCounts = { carried: 0, lost: 0 };
  const lossCounts = async (): Promise<LossCounts> => {
    const { carried, lost } = parseLossCounts(await save());
    return { carried: earlier.carried + carried, lost: earlier.lost + lost };
  };
  return {
    async setLinks(peers) {
      const now = await lossCounts();
      await apply(linkRules(peers, ports));
      earlier = now;
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

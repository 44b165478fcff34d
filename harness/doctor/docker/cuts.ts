/** Rules in the holder's network namespace that stop traffic, and the cable pull. */

import { connect, disconnect } from '../../cluster/docker/network.ts';
import { PORTS } from '../../cluster/docker/server-command.ts';
import { waitUntil } from '../../timing.ts';
import type { Outcome, Trial } from '../inside/traffic.ts';
import { faultsThatNeed, inMs, no, type Probe, type ProbeResult, reasonOf, yes } from '../probe.ts';
import { judgeCut } from './judge.ts';
import { execInside } from './programs.ts';
import type { DockerScratch } from './scratch.ts';

/** As `CLIENT_IP` in `inside/traffic.ts`. */
export const CLIENT_IP = '127.0.0.9';
const DIAL_INTERVAL_MS = 100;
const DIAL_MS_MAX = 5_000;
const CHAIN = 'STORM_DOCTOR';
/** The system's choice first, then the two kinds by name: the order of the fault agent. */
const FAMILY = ['iptables', 'iptables-nft', 'iptables-legacy'] as const;

/** What a trial in the holder's namespace showed. */
export async function tryTraffic(scratch: DockerScratch, trial: Trial): Promise<Outcome> {
  const { holder } = await scratch.pod();
  const printed = await execInside(scratch, holder.id, 'traffic', [JSON.stringify(trial)]);
  const outcome = printed as unknown as Outcome;
  return outcome.ok ? outcome : { ok: false, error: reasonOf(outcome.error) };
}

/**
 * A trial of rules in a chain of their own on `hook`. The kinds of iptables are tried until one
 * takes the rule; the answer is the last one's.
 */
export async function tryIptables(
  scratch: DockerScratch,
  rules: {
    readonly measure?: Trial['measure'];
    readonly table?: string;
    readonly hook: string;
    readonly rule: string;
    /** Instead of emptying the chain. */
    readonly healRule?: string;
  },
): Promise<Outcome> {
  const { measure = 'echo', table = 'filter', hook, rule, healRule } = rules;
  const errors: string[] = [];
  for (const program of FAMILY) {
    const line = (words: string): string => `${program} -w -t ${table} ${words}`;
    const outcome = await tryTraffic(scratch, {
      measure,
      shell: 'sh',
      prepare: [line(`-N ${CHAIN}`), line(`-I ${hook} -j ${CHAIN}`)],
      inject: [line(`-A ${CHAIN} ${rule}`)],
      heal: [line(`-F ${CHAIN}`), ...(healRule ? [line(`-A ${CHAIN} ${healRule}`)] : [])],
      remove: [`${line(`-D ${hook} -j ${CHAIN}`)}; ${line(`-F ${CHAIN}`)}; ${line(`-X ${CHAIN}`)}`],
    });
    if (outcome.ok) return outcome;
    errors.push(outcome.error);
  }
  return { ok: false, error: errors[0] ?? 'no iptables' };
}

export const CUT_PROBES: readonly Probe<DockerScratch>[] = [
  {
    mechanism: 'nft set, nft stays',
    backend: 'docker',
    usedBy: faultsThatNeed('partition'),
    fallback: 'iptables DROP by the agent, a process for every change',
    async run(scratch) {
      const set = '{ type ipv4_addr; }';
      const chain = '{ type filter hook input priority 0; }';
      const table = 'ip storm_doctor';
      const outcome = await tryTraffic(scratch, {
        measure: 'echo',
        shell: ['nft', '-i'],
        prepare: [
          `add table ${table}`,
          `add set ${table} cut ${set}`,
          `add chain ${table} input ${chain}`,
          `add rule ${table} input tcp dport PORT ip saddr @cut drop`,
        ],
        inject: [`add element ${table} cut { ${CLIENT_IP} }`],
        heal: [`delete element ${table} cut { ${CLIENT_IP} }`],
        remove: [`flush table ${table}`],
      });
      return judgeCut(outcome, 'silent');
    },
  },
  {
    mechanism: 'iptables DROP',
    backend: 'docker',
    usedBy: faultsThatNeed('partition'),
    fallback: 'disconnecting the container from its network: a whole node only',
    async run(scratch) {
      const rule = `-p tcp --dport PORT -s ${CLIENT_IP} -j DROP`;
      return judgeCut(await tryIptables(scratch, { hook: 'INPUT', rule }), 'silent');
    },
  },
  {
    mechanism: 'iptables REJECT, tcp-reset',
    backend: 'docker',
    usedBy: faultsThatNeed('connection-reset'),
    fallback: 'iptables DROP: silence instead of a reset',
    async run(scratch) {
      const rule = `-p tcp --dport PORT -s ${CLIENT_IP} -j REJECT --reject-with tcp-reset`;
      return judgeCut(await tryIptables(scratch, { hook: 'INPUT', rule }), 'reset');
    },
  },
  {
    mechanism: 'network disconnect, connect',
    backend: 'docker',
    usedBy: faultsThatNeed('cable-pull'),
    fallback: 'cutting every link of the member with iptables DROP',
    run: pullCable,
  },
];

async function pullCable(scratch: DockerScratch, signal: AbortSignal): Promise<ProbeResult> {
  const pod = await scratch.pod();
  const { clock } = scratch.bench;
  const network = scratch.daemon.docker.getNetwork(pod.network);
  const dial = ['dial', pod.peerIp, String(PORTS.client)];
  const reaches = async (): Promise<boolean> =>
    (await execInside(scratch, pod.holder.id, 'work', dial)).answers === true;
  const limits = { intervalMs: DIAL_INTERVAL_MS, limitMs: DIAL_MS_MAX, signal };
  if (!(await waitUntil(clock, limits, reaches))) {
    return no('two containers of one network do not reach each other');
  }
  const startNs = clock.nowNs();
  await disconnect(network, pod.peer.id);
  const cutNs = clock.nowNs();
  let healNs: number;
  try {
    if (await reaches()) return no('a container is reached without its network');
  } finally {
    healNs = clock.nowNs();
    await connect(network, pod.peer.id, pod.peerIp);
  }
  const healedNs = clock.nowNs();
  if (!(await waitUntil(clock, limits, reaches))) return no('it is not reached after the heal');
  const times = `cut in ${inMs((cutNs - startNs) / 1e6)}, back in ${inMs((healedNs - healNs) / 1e6)}`;
  return yes(`${times}, with the same address`);
}

/** What delays, loses, throttles or diverts packets in the holder's network namespace. */

import { faultsThatNeed, no, type Probe, reasonOf, yes } from '../probe.ts';
import { CLIENT_IP, tryIptables, tryTraffic } from './cuts.ts';
import { judgeBandwidth, judgeCut, judgeDelay, judgeLoss } from './judge.ts';
import { execInside } from './programs.ts';
import type { DockerScratch } from './scratch.ts';

const LOSS = 0.3;
/** In each direction of the loopback, so that a round trip takes twice as long. */
const DELAY_MS = 25;
const BYTES_PER_SECOND = 1_000_000;

/** A queueing discipline on the loopback of the holder's namespace. */
function qdisc(words: string) {
  return {
    shell: 'sh',
    prepare: [],
    inject: [`tc qdisc add dev lo root ${words}`],
    heal: ['tc qdisc del dev lo root'],
    remove: ['tc qdisc del dev lo root 2>&1 || true'],
  } as const;
}

export const LINK_QUALITY_PROBES: readonly Probe<DockerScratch>[] = [
  {
    mechanism: 'iptables statistic (loss)',
    backend: 'docker',
    usedBy: faultsThatNeed('link-loss'),
    fallback: 'tc netem, or a daemon behind NFQUEUE',
    async run(scratch) {
      const match = `-p udp --dport PORT -m statistic --mode random --probability ${LOSS}`;
      const rule = `${match} -j DROP`;
      return judgeLoss(await tryIptables(scratch, { measure: 'loss', hook: 'INPUT', rule }), LOSS);
    },
  },
  {
    mechanism: 'tc netem (delay)',
    backend: 'docker',
    usedBy: faultsThatNeed('flaky-links'),
    fallback: 'a daemon behind NFQUEUE, then TCP proxies behind nat REDIRECT',
    async run(scratch) {
      const trial = { measure: 'echo', ...qdisc(`netem delay ${DELAY_MS}ms`) } as const;
      return judgeDelay(await tryTraffic(scratch, trial), 2 * DELAY_MS);
    },
  },
  {
    mechanism: 'tc tbf (bandwidth)',
    backend: 'docker',
    usedBy: faultsThatNeed('link-rate'),
    fallback: 'TCP proxies behind nat REDIRECT that read slowly',
    async run(scratch) {
      // The burst must hold a whole packet: on the loopback that is up to 64 KiB.
      const words = `tbf rate ${BYTES_PER_SECOND * 8}bit burst 128kb latency 400ms`;
      const outcome = await tryTraffic(scratch, { measure: 'transfer', ...qdisc(words) });
      return judgeBandwidth(outcome, BYTES_PER_SECOND);
    },
  },
  {
    mechanism: 'iptables NFQUEUE',
    backend: 'docker',
    usedBy: faultsThatNeed('flaky-links'),
    fallback: 'TCP proxies behind nat REDIRECT: delay, but no loss and no reordering',
    async run(scratch) {
      const rule = `-p tcp --dport PORT -s ${CLIENT_IP} -j NFQUEUE --queue-num 4242`;
      const outcome = await tryIptables(scratch, {
        table: 'mangle',
        hook: 'PREROUTING',
        rule,
        healRule: `${rule} --queue-bypass`,
      });
      const judged = judgeCut(outcome, 'silent');
      return judged.works ? yes('holds packets without a daemon; --queue-bypass lets go') : judged;
    },
  },
  {
    mechanism: 'nat REDIRECT, owner match',
    backend: 'docker',
    usedBy: faultsThatNeed('link-delay', 'link-rate'),
    fallback: 'peer URLs that name the proxies, as on the process backend',
    async run(scratch) {
      const { holder } = await scratch.pod();
      const printed = await execInside(scratch, holder.id, 'redirect', ['iptables']);
      const { error, others, spared } = printed;
      if (typeof error === 'string') return no(reasonOf(error));
      if (others !== 'B')
        return no(`the rule is taken, and ${others} answers instead of the proxy`);
      if (spared !== 'A') return no(`the rule is taken, and the proxy's own reach ${spared}`);
      return yes("connections reach the proxy, the proxy's own reach the server");
    },
  },
];

/** What the mechanisms behind links can do, and how a backend refuses the rest. */
import { type CapabilityReport, ClusterError } from '../cluster/cluster.ts';
import { type DirectedQuality, describeQuality, type LinkQuality } from './link-quality.ts';

const BYTE_STREAM =
  'a proxy passes a byte stream: it can neither repeat nor reorder messages; the simulator can: storm sim';

/** Of the process backend, whose members dial each other through proxies. */
export const PROXY_LINK_REPORTS: readonly CapabilityReport[] = [
  { capability: 'flaky-links', available: false, detail: BYTE_STREAM },
  { capability: 'link-delay', available: true, detail: 'TCP proxy per member: holds bytes back' },
  {
    capability: 'link-loss',
    available: true,
    detail: 'TCP proxy per member: a lost segment is late by its retransmission (a model)',
  },
  { capability: 'link-rate', available: true, detail: 'TCP proxy per member: bytes take turns' },
  { capability: 'connection-reset', available: true, detail: 'TCP proxy per member: RST' },
  {
    capability: 'cable-pull',
    available: true,
    detail: 'TCP proxy per member: holds bytes, refuses dials; clients still reach the member',
  },
];

/** Of the docker backend; without a packet filter nothing can be led through the agent. */
export function containerLinkReports(filter: {
  readonly available: boolean;
  readonly detail: string;
  readonly linksProblem: string | undefined;
}): CapabilityReport[] {
  const { detail, linksProblem } = filter;
  const available = linksProblem === undefined;
  const how = (words: string): string => (available ? `${detail}: ${words}` : linksProblem);
  return [
    { capability: 'flaky-links', available: false, detail: BYTE_STREAM },
    { capability: 'link-delay', available, detail: how('REDIRECT to a proxy beside the server') },
    { capability: 'link-loss', available, detail: how('DROP of random packets by source') },
    { capability: 'link-rate', available, detail: how('REDIRECT to a proxy beside the server') },
    { capability: 'connection-reset', available, detail: how('REJECT with tcp-reset by source') },
    {
      capability: 'cable-pull',
      available: true,
      detail: 'docker network disconnect and connect, with the same address',
    },
  ];
}

/** Throws {@link ClusterError} for what no byte stream can show, and for nodes that are not there. */
export function requireShapeable(
  nodes: readonly string[],
  links: readonly DirectedQuality[],
  everywhere?: LinkQuality,
): void {
  for (const { from, to } of links) {
    for (const node of [from, to]) {
      if (!nodes.includes(node)) {
        throw new ClusterError(
          `link ${from}>${to}: ${node}: no such node; use ${nodes.join(', ')}`,
        );
      }
    }
  }
  const qualities = links.map(({ quality }) => quality);
  for (const quality of everywhere === undefined ? qualities : [everywhere, ...qualities]) {
    if (quality.duplicatePercent > 0 || quality.reorders) {
      throw new ClusterError(`links ${describeQuality(quality)}: ${BYTE_STREAM}`);
    }
  }
}

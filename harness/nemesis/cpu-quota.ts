/** One member gets a few per cent of a processor core: all that it does takes much longer. */
import type { CpuUsage, ResourceControl } from '../cluster/resource-control.ts';
import { drawBetween } from '../draw.ts';
import { sleep } from '../timing.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { resourcesOf } from './resources.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

/** On a busy machine a member may have to do with 10 % anyway. */
const PERCENT_LEAST = 2;
const PERCENT_MOST = 8;
/** Long enough to tell what a member uses when nobody holds it back. */
const BEFORE_MS = 200;
/** A quota is per period of 100 ms, and the window begins and ends within one. */
const TOLERANCE_SHARE = 0.3;
/** Two ticks of the clock by which the kernel counts the time of processes. */
const TOLERANCE_MS = 20;

export const cpuQuota: FaultPackage<'cpu-quota'> = {
  kind: 'cpu-quota',
  needs: 'cpu-quota',
  family: 'process',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({
    kind: 'cpu-quota',
    node: drawNodeChoice(nodes, random),
    percent: drawBetween(random, PERCENT_LEAST, PERCENT_MOST),
  }),
  async prepare(context, { node, percent }) {
    const resources = resourcesOf(context);
    const { name, words } = await resolveNode(context, node);
    let dead: readonly string[] = [];
    let beforePercent: number | undefined;
    let since: Reading | undefined;
    return {
      description: `${words} gets ${percent} % of a core`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length > 0) return;
        const first = await read(context, resources, name);
        await sleep(context.clock, BEFORE_MS);
        beforePercent = percentBetween(first, await read(context, resources, name));
        await resources.setCpuQuota(name, percent);
        since = await read(context, resources, name);
      },
      observe: async () => {
        if (since === undefined || beforePercent === undefined) {
          return { effect: 'no-effect', observation: describeDead(dead) };
        }
        return judge(percent, beforePercent, since, await read(context, resources, name));
      },
      heal: () => resources.setCpuQuota(name, undefined),
    };
  },
};

interface Reading {
  readonly atNs: number;
  readonly usage: CpuUsage;
}

async function read(
  { clock }: NemesisContext,
  resources: ResourceControl,
  name: string,
): Promise<Reading> {
  const usage = await resources.cpuUsage(name);
  return { usage, atNs: clock.nowNs() };
}

function percentBetween(from: Reading, to: Reading): number {
  const tookMs = (to.atNs - from.atNs) / 1e6;
  return tookMs > 0 ? (100 * (to.usage.usedMs - from.usage.usedMs)) / tookMs : 0;
}

/** It kept to the quota, and would have used more. */
function judge(asked: number, before: number, from: Reading, to: Reading): Observation {
  const measured = percentBetween(from, to);
  const ticks = (100 * TOLERANCE_MS) / ((to.atNs - from.atNs) / 1e6);
  const keeps = measured <= asked * (1 + TOLERANCE_SHARE) + ticks;
  const throttled =
    to.usage.throttled === undefined || from.usage.throttled === undefined
      ? undefined
      : to.usage.throttled - from.usage.throttled;
  const isHeldBack = throttled === undefined ? before > asked : throttled > 0;
  const periods = throttled === undefined ? '' : `, held back in ${throttled} periods`;
  const figures = `${measured.toFixed(1)} % of a core used of ${asked} %`;
  return {
    effect: keeps && isHeldBack ? 'observed' : 'no-effect',
    observation: `${figures}, ${before.toFixed(0)} % before${periods}`,
  };
}

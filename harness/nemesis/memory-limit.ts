/** One member runs out of memory and dies of it; healing lifts the limit and starts it again. */
import type { MemoryPressure } from '../cluster/resource-control.ts';
import { waitUntil } from '../timing.ts';
import type { FaultPackage } from './fault.ts';
import { resourcesOf } from './resources.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

/** A server asks for more memory sooner or later, one that works within a second. */
const DEATH_LIMIT_MS = 1_000;
const DEATH_RETRY_MS = 50;
const MIB = 2 ** 20;

export const memoryLimit: FaultPackage<'memory-limit'> = {
  kind: 'memory-limit',
  needs: 'memory-limit',
  family: 'process',
  lastsPercent: [20, 55],
  plan: (nodes, random) => ({ kind: 'memory-limit', node: drawNodeChoice(nodes, random) }),
  async prepare(context, { node }) {
    const { cluster, clock } = context;
    const resources = resourcesOf(context);
    const { name, words } = await resolveNode(context, node);
    let dead: readonly string[] = [];
    let pressure: MemoryPressure | undefined;
    return {
      description: `${words} runs out of memory`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length === 0) pressure = await resources.exhaustMemory(name);
      },
      observe: async () => {
        if (pressure === undefined) return { effect: 'no-effect', observation: describeDead(dead) };
        let death: string | undefined;
        const limits = { intervalMs: DEATH_RETRY_MS, limitMs: DEATH_LIMIT_MS };
        const died = await waitUntil(clock, limits, async () => {
          death = await resources.memoryDeath(name);
          return death !== undefined;
        });
        const limit = `limit ${inMib(pressure.limitBytes)}, ${inMib(pressure.usedBytes)} used`;
        return died
          ? { effect: 'observed', observation: `${name}: ${death}; ${limit}` }
          : { effect: 'no-effect', observation: `${name} has not died of it; ${limit}` };
      },
      heal: async () => {
        await resources.liftMemoryLimit(name);
        if (!(await cluster.isRunning(name))) await cluster.start(name);
      },
    };
  },
};

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

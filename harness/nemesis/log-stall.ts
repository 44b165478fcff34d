/** Nobody reads what one member logs: whatever waits for its log hangs (etcd#22214). */
import type { FaultPackage } from './fault.ts';
import { resourcesOf } from './resources.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

export const logStall: FaultPackage<'log-stall'> = {
  kind: 'log-stall',
  needs: 'log-stall',
  family: 'process',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({ kind: 'log-stall', node: drawNodeChoice(nodes, random) }),
  async prepare(context, { node }) {
    const resources = resourcesOf(context);
    const { name, words } = await resolveNode(context, node);
    let dead: readonly string[] = [];
    return {
      description: `nobody reads the log of ${words}`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length === 0) await resources.stallLog(name);
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        const { waitingBytes, isFull, blockedThreads } = await resources.logStall(name);
        const threads = `${blockedThreads} threads of ${name} hang in a write`;
        return isFull
          ? { effect: 'observed', observation: `log full: ${waitingBytes} bytes wait; ${threads}` }
          : { effect: 'no-effect', observation: `the log takes more; ${threads}` };
      },
      heal: () => resources.resumeLog(name),
    };
  },
};

/** All disk operations of one member hang; the process goes on, and still hears its peers. */
import type { FaultPackage } from './fault.ts';
import { drawNodeChoice, resolveNode } from './target.ts';

export const diskStall: FaultPackage<'disk-stall'> = {
  kind: 'disk-stall',
  needs: 'disk-stall',
  family: 'disk',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({ kind: 'disk-stall', node: drawNodeChoice(nodes, random) }),
  async prepare(context, spec) {
    const { cluster } = context;
    const { name, words } = await resolveNode(context, spec.node);
    const before = await cluster.diskFaultTally(name);
    return {
      description: `all disk operations of ${words} hang`,
      nodes: [name],
      inject: () => cluster.setDiskFault(name, { type: 'stall' }),
      observe: async () => {
        const stalled = (await cluster.diskFaultTally(name)).stalled - before.stalled;
        return {
          effect: stalled > 0 ? 'observed' : 'no-effect',
          observation: `${stalled} disk operations of ${name} hung`,
        };
      },
      heal: () => cluster.setDiskFault(name, { type: 'none' }),
    };
  },
};

/**
 * Syncs of one member succeed and keep nothing; then the power fails. No consensus survives this
 * in general: what the member acknowledged may be gone, and others counted on it.
 */
import type { FaultPackage } from './fault.ts';
import { settleDamagedStart } from './give-up.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

export const lyingDisk: FaultPackage<'lying-disk'> = {
  kind: 'lying-disk',
  needs: 'disk-lie',
  family: 'disk',
  alsoExcludes: ['process'],
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({ kind: 'lying-disk', node: drawNodeChoice(nodes, random) }),
  async prepare(context, spec) {
    const { cluster } = context;
    const { name, words } = await resolveNode(context, spec.node);
    const before = await cluster.diskFaultTally(name);
    let dead: readonly string[] = [];
    let isLying = false;
    return {
      description: `syncs of ${words} keep nothing, then its power fails`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length > 0) return;
        await cluster.setDiskFault(name, { type: 'lie' });
        isLying = true;
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        const lied = (await cluster.diskFaultTally(name)).lied - before.lied;
        return {
          effect: lied > 0 ? 'observed' : 'no-effect',
          observation: `${lied} syncs of ${name} kept nothing`,
        };
      },
      heal: async () => {
        // While it still lies: a true sync in between would keep what was lied about.
        if (isLying) await cluster.kill(name);
        await cluster.setDiskFault(name, { type: 'none' });
        if (!(await cluster.isRunning(name))) await cluster.start(name);
        if (isLying) await settleDamagedStart(context, name);
      },
    };
  },
};

/** One member suspended: its sockets stay open, nothing in it runs, its clock jumps on resume. */
import type { FaultPackage } from './fault.ts';
import {
  answersStatus,
  describeDead,
  drawNodeChoice,
  findDead,
  resolveNode,
  STATUS_TIMEOUT_MS,
} from './target.ts';

export const pause: FaultPackage<'pause'> = {
  kind: 'pause',
  needs: 'pause',
  family: 'process',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({ kind: 'pause', node: drawNodeChoice(nodes, random) }),
  async prepare(context, spec) {
    const { name, words } = await resolveNode(context, spec.node);
    const answeredBefore = await answersStatus(context, name);
    let dead: readonly string[] = [];
    return {
      description: `suspend ${words}`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length === 0) await context.cluster.pause(name);
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        if (await answersStatus(context, name)) {
          return { effect: 'no-effect', observation: `${name} still answers Status` };
        }
        // Silence proves nothing about a member that was silent before.
        return answeredBefore
          ? { effect: 'observed', observation: `no Status in ${STATUS_TIMEOUT_MS} ms` }
          : { effect: 'no-effect', observation: `${name} did not answer before either` };
      },
      heal: () => context.cluster.resume(name),
    };
  },
};

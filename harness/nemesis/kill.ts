/** kill -9 of one member or of all at once; healing starts them on their old data. */
import type { FaultPackage, NemesisContext, Observation, PreparedFault } from './fault.ts';
import {
  answersStatus,
  describeDead,
  drawNodeChoice,
  expectedNames,
  findDead,
  resolveNode,
} from './target.ts';

export const kill: FaultPackage<'kill'> = {
  kind: 'kill',
  needs: 'kill',
  family: 'process',
  lastsPercent: [20, 55],
  plan: (nodes, random) => ({ kind: 'kill', node: drawNodeChoice(nodes, random) }),
  async prepare(context, spec) {
    const target = await resolveNode(context, spec.node);
    return killOf(context, [target.name], `kill -9 ${target.words}`);
  },
};

export const killAll: FaultPackage<'kill-all'> = {
  kind: 'kill-all',
  needs: 'kill',
  family: 'process',
  // Short: nothing can happen while nobody runs, and the election afterwards takes its time.
  lastsPercent: [10, 25],
  plan: () => ({ kind: 'kill-all', atOnce: true }),
  async prepare(context) {
    const names = expectedNames(context);
    return killOf(context, names, `kill -9 of all ${names.length} members at once`);
  },
};

function killOf(
  context: NemesisContext,
  names: readonly string[],
  description: string,
): PreparedFault {
  const { cluster } = context;
  let deadBefore: readonly string[] = [];
  return {
    description,
    nodes: names,
    inject: async () => {
      deadBefore = await findDead(context, names);
      await Promise.all(names.map((name) => cluster.kill(name)));
    },
    observe: async () => {
      if (deadBefore.length === 0) return observeDead(context, names);
      const killed = names.filter((name) => !deadBefore.includes(name));
      const words = describeDead(deadBefore);
      if (killed.length === 0) return { effect: 'no-effect', observation: words };
      const { effect, observation } = await observeDead(context, killed);
      return { effect, observation: `${observation}; ${words}` };
    },
    heal: async () => {
      await Promise.all(names.map((name) => cluster.start(name)));
    },
  };
}

async function observeDead(
  context: NemesisContext,
  names: readonly string[],
): Promise<Observation> {
  const alive: string[] = [];
  await Promise.all(
    names.map(async (name) => {
      const running = await context.cluster.isRunning(name);
      if (running || (await answersStatus(context, name))) alive.push(name);
    }),
  );
  return alive.length === 0
    ? { effect: 'observed', observation: `${names.join(', ')} gone, Status refused` }
    : { effect: 'no-effect', observation: `${alive.sort().join(', ')} still runs or answers` };
}

/** Every member rewrites its database, one after the other. There is nothing to heal. */
import type { Administration } from '../administration/administration.ts';
import { controlOf, nodesToAsk } from '../administration/insist.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import type { FaultPackage } from './fault.ts';
import { UPKEEP } from './leader-move.ts';
import { expectedNames } from './target.ts';

interface Defragmented {
  readonly words: string;
  /** Whoever is away, dead or about to start, has nothing to do with this fault. */
  readonly type: 'done' | 'refused' | 'away';
}

export const defragment: FaultPackage<'defragment'> = {
  ...UPKEEP,
  kind: 'defragment',
  plan: () => ({ kind: 'defragment', inTurn: true }),
  async prepare(context) {
    const { administration } = controlOf(context);
    const results: Defragmented[] = [];
    return {
      description: 'Defragment of every member in turn',
      nodes: expectedNames(context),
      inject: async () => {
        for (const node of nodesToAsk(context)) {
          if (!(await context.cluster.isRunning(node.name))) continue;
          results.push(await defragmented(administration, node));
        }
      },
      observe: async () => {
        const isDone = results.some(({ type }) => type === 'done');
        const isRefused = results.some(({ type }) => type === 'refused');
        return {
          effect: isDone && !isRefused ? 'observed' : 'no-effect',
          observation: results.map(({ words }) => words).join('; ') || 'nobody runs',
        };
      },
      heal: () => Promise.resolve(),
    };
  },
};

async function defragmented(
  administration: Administration,
  node: ClusterNode,
): Promise<Defragmented> {
  const before = await administration.status(node);
  if (!before.ok) return { words: `${node.name}: ${before.error.message}`, type: 'away' };
  const done = await administration.defragment(node);
  if (!done.ok) return { words: `${node.name}: ${done.error.message}`, type: 'refused' };
  const after = await administration.status(node);
  const size = (status: typeof after): string =>
    status.ok ? `${Math.round(status.value.dbSizeBytes / 1024)}` : '?';
  return { words: `${node.name} ${size(before)} -> ${size(after)} KiB`, type: 'done' };
}

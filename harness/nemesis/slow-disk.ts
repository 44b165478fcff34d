/** Every fsync of one member, or of all, takes longer. */
import { ClusterError, type DiskCounter } from '../cluster/cluster.ts';
import { drawBetween, drawOne } from '../draw.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { resolveNames } from './target.ts';

/** Below the election timeout, so that the member is slow rather than gone. */
const DELAY_MS_LEAST = 20;
const DELAY_MS_MOST = 300;
/** A mean this close to the delay asked for counts as that delay. */
const EFFECT_SHARE = 0.8;

const NO_SYNCS: DiskCounter = { syncs: 0, delayedSyncs: 0, delayedMeanMs: 0 };

export const slowDisk: FaultPackage<'slow-disk'> = {
  kind: 'slow-disk',
  needs: 'slow-disk',
  family: 'disk',
  lastsPercent: [50, 70],
  plan: (nodes, random) => ({
    kind: 'slow-disk',
    nodes: random.below(2) === 0 ? [...nodes] : [drawOne(random, nodes)],
    delayMs: drawBetween(random, DELAY_MS_LEAST, DELAY_MS_MOST),
  }),
  async prepare(context, spec) {
    const nodes = await resolveNames(context, spec.nodes);
    const before = await Promise.all(nodes.map((name) => readCounter(context, name)));
    const set = async (delayMs: number): Promise<void> => {
      await Promise.all(nodes.map((name) => context.cluster.setFsyncDelay(name, delayMs)));
    };
    return {
      description: `fsync of ${nodes.join(', ')} +${spec.delayMs} ms`,
      nodes,
      inject: () => set(spec.delayMs),
      observe: async () => {
        const after = await Promise.all(nodes.map((name) => readCounter(context, name)));
        const growth = after.map((counter, at) => delayedSince(before[at]!, counter));
        return judge(nodes, spec.delayMs, growth);
      },
      heal: () => set(0),
    };
  },
};

interface Delayed {
  readonly count: number;
  readonly meanMs: number;
}

/** Counters start again when a member restarts; then all that it counts is since `before`. */
function delayedSince(before: DiskCounter, after: DiskCounter): Delayed {
  const base = after.delayedSyncs >= before.delayedSyncs ? before : NO_SYNCS;
  const count = after.delayedSyncs - base.delayedSyncs;
  if (count === 0) return { count: 0, meanMs: 0 };
  const sumMs = after.delayedSyncs * after.delayedMeanMs - base.delayedSyncs * base.delayedMeanMs;
  return { count, meanMs: sumMs / count };
}

/** One slow member proves the fault: an overlapping kill or partition may idle the others. */
function judge(nodes: readonly string[], delayMs: number, growth: readonly Delayed[]): Observation {
  const slow = growth.filter(({ count, meanMs }) => count > 0 && meanMs >= EFFECT_SHARE * delayMs);
  const words = nodes.map((name, at) => {
    const { count, meanMs } = growth[at]!;
    return count === 0
      ? `${name} no fsync`
      : `${name} ${count} fsyncs, mean ${meanMs.toFixed(1)} ms`;
  });
  return { effect: slow.length > 0 ? 'observed' : 'no-effect', observation: words.join('; ') };
}

/** A member killed meanwhile may have no disk to ask: that is no reading, not a failed run. */
async function readCounter(context: NemesisContext, name: string): Promise<DiskCounter> {
  try {
    return await context.cluster.diskCounter(name);
  } catch (error) {
    if (error instanceof ClusterError) return NO_SYNCS;
    throw error;
  }
}

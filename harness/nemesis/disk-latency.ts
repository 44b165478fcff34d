/** Every disk operation of one member, or of all, takes a time drawn from a distribution. */
import { ClusterError, type DiskCounter } from '../cluster/cluster.ts';
import { medianMs } from '../disk/latency.ts';
import { LATENCY_PROFILES, latencyProfile } from '../disk/latency-profiles.ts';
import { drawOne } from '../draw.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { resolveNames } from './target.ts';

/** A mean this close to the median asked for counts: few draws have a mean of their own. */
const EFFECT_SHARE = 0.5;

export const diskLatency: FaultPackage<'disk-latency'> = {
  kind: 'disk-latency',
  needs: 'disk-latency',
  family: 'disk',
  lastsPercent: [50, 70],
  plan: (nodes, random) => ({
    kind: 'disk-latency',
    nodes: random.below(2) === 0 ? [...nodes] : [drawOne(random, nodes)],
    profile: drawOne(random, LATENCY_PROFILES),
    seed: random.below(SEED_BOUND),
  }),
  async prepare(context, { nodes: wanted, profile, seed }) {
    const { cluster } = context;
    const latency = latencyProfile(profile);
    if (latency === undefined) throw new ClusterError(`no latency profile ${profile}`);
    const nodes = await resolveNames(context, wanted);
    const before = await Promise.all(nodes.map((name) => readCounter(context, name)));
    const leastMs = latency.sync === undefined ? 0 : EFFECT_SHARE * medianMs(latency.sync);
    return {
      description: `disk of ${nodes.join(', ')} as slow as: ${profile}`,
      nodes,
      inject: async () => {
        await Promise.all(
          nodes.map((name) => cluster.setDiskFault(name, { type: 'latency', seed, ...latency })),
        );
      },
      observe: async () => {
        const after = await Promise.all(nodes.map((name) => readCounter(context, name)));
        const growth = after.map((counter, at) => syncsSince(before[at], counter));
        return judge(nodes, leastMs, growth);
      },
      heal: async () => {
        await Promise.all(nodes.map((name) => cluster.setDiskFault(name, { type: 'none' })));
      },
    };
  },
};

interface Delayed {
  readonly count: number;
  readonly meanMs: number;
}

/** Counters start again when a member restarts; then all that it counts is since `before`. */
function syncsSince(before: DiskCounter | undefined, after: DiskCounter | undefined): Delayed {
  if (after === undefined) return { count: 0, meanMs: 0 };
  const isSameLife = before !== undefined && after.delayedSyncs >= before.delayedSyncs;
  const [base, baseMs] = isSameLife ? [before.delayedSyncs, before.delayedMeanMs] : [0, 0];
  const count = after.delayedSyncs - base;
  const sumMs = after.delayedSyncs * after.delayedMeanMs - base * baseMs;
  return { count, meanMs: count === 0 ? 0 : sumMs / count };
}

/** One slow member proves the fault: an overlapping kill or partition may idle the others. */
function judge(nodes: readonly string[], leastMs: number, growth: readonly Delayed[]): Observation {
  const isSlow = growth.some(({ count, meanMs }) => count > 0 && meanMs >= leastMs);
  const words = nodes.map((name, at) => {
    const { count, meanMs } = growth[at]!;
    return `${name} ${count} delayed fsyncs, mean ${meanMs.toFixed(1)} ms`;
  });
  return { effect: isSlow ? 'observed' : 'no-effect', observation: words.join('; ') };
}

/** A member killed meanwhile may have no disk to ask: that is no reading, not a failed run. */
async function readCounter(
  context: NemesisContext,
  name: string,
): Promise<DiskCounter | undefined> {
  try {
    return await context.cluster.diskCounter(name);
  } catch (error) {
    if (error instanceof ClusterError) return undefined;
    throw error;
  }
}

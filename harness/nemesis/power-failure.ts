/**
 * The power of one member fails in the middle of a sync: the member dies, and what it wrote and
 * had not synced is gone, in part or torn. What it acknowledged was synced, so it must come back
 * with all of that.
 */
import type { PowerLoss, PowerLossReport } from '../cluster/cluster.ts';
import { drawOne } from '../draw.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import { waitUntil } from '../timing.ts';
import type { FaultPackage, NemesisContext, NodeChoice, PreparedFault } from './fault.ts';
import { answersStatus, describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

/** How long a sync is waited for that the power failure interrupts; an idle member makes none. */
const SYNC_LIMIT_MS = 1_000;
const SYNC_RETRY_MS = 10;

/** What is done to the disk of a dead member would hide what is done here, and the other way. */
const POWER = {
  needs: 'power-failure',
  family: 'process',
  alsoExcludes: ['disk'],
  lastsPercent: [20, 55],
} as const;

export const powerFailure: FaultPackage<'power-failure'> = {
  ...POWER,
  kind: 'power-failure',
  plan: (nodes, random) => ({
    kind: 'power-failure',
    node: drawNodeChoice(nodes, random),
    keeps: drawOne(random, ['nothing', 'some'] as const),
    seed: random.below(SEED_BOUND),
  }),
  prepare: (context, { node, keeps, seed }) => failPowerOf(context, node, { keeps, seed }),
};

export const tornWrite: FaultPackage<'torn-write'> = {
  ...POWER,
  kind: 'torn-write',
  plan: (nodes, random) => ({
    kind: 'torn-write',
    node: drawNodeChoice(nodes, random),
    seed: random.below(SEED_BOUND),
  }),
  prepare: (context, { node, seed }) => failPowerOf(context, node, { keeps: 'torn', seed }),
};

async function failPowerOf(
  context: NemesisContext,
  choice: NodeChoice,
  loss: PowerLoss,
): Promise<PreparedFault> {
  const { cluster } = context;
  const { name, words } = await resolveNode(context, choice);
  let dead: readonly string[] = [];
  let report: PowerLossReport | undefined;
  return {
    description: `power failure of ${words}; un-synced ${WHAT_STAYS[loss.keeps]}`,
    nodes: [name],
    inject: async () => {
      dead = await findDead(context, [name]);
      if (dead.length > 0) return;
      await holdSync(context, name);
      report = await cluster.failPower(name, loss);
    },
    observe: async () => {
      if (report === undefined) return { effect: 'no-effect', observation: describeDead(dead) };
      const isGone = !(await cluster.isRunning(name)) && !(await answersStatus(context, name));
      const lost = describeLoss(report);
      return isGone
        ? { effect: 'observed', observation: `${name} is down, ${lost}` }
        : { effect: 'no-effect', observation: `${name} still runs or answers; ${lost}` };
    },
    heal: async () => {
      await cluster.setDiskFault(name, { type: 'none' });
      if (!(await cluster.isRunning(name))) await cluster.start(name);
    },
  };
}

const WHAT_STAYS: Readonly<Record<PowerLoss['keeps'], string>> = {
  nothing: 'writes are lost',
  some: 'writes survive in part',
  torn: 'writes survive but for the end of the last one',
};

/** Else there would be nothing to lose: between two syncs a log is as durable as it can be. */
async function holdSync({ cluster, clock }: NemesisContext, name: string): Promise<void> {
  const before = (await cluster.diskFaultTally(name)).stalled;
  await cluster.setDiskFault(name, { type: 'stall', operation: 'sync' });
  const limits = { intervalMs: SYNC_RETRY_MS, limitMs: SYNC_LIMIT_MS };
  await waitUntil(clock, limits, async () => (await cluster.diskFaultTally(name)).stalled > before);
}

function describeLoss({ changes, bytes, torn, names }: PowerLossReport): string {
  const parts = [`lost ${bytes} bytes of ${changes} changes`];
  if (torn > 0) parts.push(`${torn} of them torn`);
  if (names > 0) parts.push(`${names} names undone`);
  return parts.join(', ');
}

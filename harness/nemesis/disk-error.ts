/**
 * The disk of one member refuses to write or to sync, or can only be read. The member must stop by itself: what it
 * wrote before may be lost. Healing starts it again.
 */
import type { DiskFault } from '../cluster/cluster.ts';
import { drawOne } from '../draw.ts';
import { waitUntil } from '../timing.ts';
import type {
  FaultPackage,
  FaultSpecs,
  NemesisContext,
  NodeChoice,
  Observation,
  PreparedFault,
} from './fault.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

const REFUSALS: readonly Pick<FaultSpecs['disk-error'], 'operation' | 'code'>[] = [
  { operation: 'write', code: 'EIO' },
  { operation: 'write', code: 'ENOSPC' },
  { operation: 'sync', code: 'EIO' },
];

/** A member that was refused something may be about to stop: for so long it is waited for. */
const STOP_LIMIT_MS = 2_000;
const STOP_RETRY_MS = 50;

export const diskError: FaultPackage<'disk-error'> = {
  kind: 'disk-error',
  needs: 'disk-error',
  family: 'process',
  alsoExcludes: ['disk'],
  lastsPercent: [20, 55],
  plan: (nodes, random) => ({
    kind: 'disk-error',
    node: drawNodeChoice(nodes, random),
    ...drawOne(random, REFUSALS),
  }),
  prepare: (context, { node, operation, code }) =>
    refuse(context, node, {
      fault: { type: 'error', operation, code },
      what: operation,
      how: `every ${operation} of NODE fails with ${code}`,
    }),
};

export const readOnlyDisk: FaultPackage<'read-only-disk'> = {
  kind: 'read-only-disk',
  needs: 'read-only-disk',
  family: 'process',
  alsoExcludes: ['disk'],
  lastsPercent: [20, 55],
  plan: (nodes, random) => ({ kind: 'read-only-disk', node: drawNodeChoice(nodes, random) }),
  prepare: (context, { node }) =>
    refuse(context, node, {
      fault: { type: 'read-only' },
      what: 'write',
      how: 'the disk of NODE can only be read',
    }),
};

interface Refusing {
  readonly fault: DiskFault;
  /** What is refused. */
  readonly what: 'write' | 'sync';
  /** In words; NODE stands for the member. */
  readonly how: string;
}

async function refuse(
  context: NemesisContext,
  choice: NodeChoice,
  { fault, what, how }: Refusing,
): Promise<PreparedFault> {
  const { cluster } = context;
  const { name, words } = await resolveNode(context, choice);
  const before = await cluster.diskFaultTally(name);
  const refused = async (): Promise<number> =>
    (await cluster.diskFaultTally(name)).refused - before.refused;
  let dead: readonly string[] = [];
  return {
    description: how.replace('NODE', words),
    nodes: [name],
    inject: async () => {
      dead = await findDead(context, [name]);
      if (dead.length === 0) await cluster.setDiskFault(name, fault);
    },
    observe: async () => {
      if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
      return judge(name, what, await refused(), await cluster.isRunning(name));
    },
    heal: async () => {
      // A death after the heal would look like one that no fault had caused. One that goes on over
      // refused syncs is killed meanwhile: has it told others of what is not there?
      const goesOn = (await refused()) > 0 && !(await hasEnded(context, name));
      if (goesOn && what === 'sync') await cluster.kill(name);
      await cluster.setDiskFault(name, { type: 'none' });
      if (!(await cluster.isRunning(name))) await cluster.start(name);
    },
  };
}

/** Waits for it. */
function hasEnded({ cluster, clock }: NemesisContext, name: string): Promise<boolean> {
  const limits = { intervalMs: STOP_RETRY_MS, limitMs: STOP_LIMIT_MS };
  return waitUntil(clock, limits, async () => !(await cluster.isRunning(name)));
}

function judge(
  name: string,
  what: Refusing['what'],
  refused: number,
  isRunning: boolean,
): Observation {
  const state = isRunning ? 'still runs' : 'has stopped';
  return {
    effect: refused > 0 ? 'observed' : 'no-effect',
    observation: `${refused} refused (${what}); ${name} ${state}`,
  };
}

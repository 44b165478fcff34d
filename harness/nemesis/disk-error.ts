/**
 * The disk of one member refuses to write or to sync. The member must stop by itself: what it
 * wrote before may be lost. Healing starts it again.
 */
import { drawOne } from '../draw.ts';
import { waitUntil } from '../timing.ts';
import type { FaultPackage, FaultSpecs, NemesisContext, Observation } from './fault.ts';
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
  async prepare(context, spec) {
    const { cluster } = context;
    const { operation, code } = spec;
    const { name, words } = await resolveNode(context, spec.node);
    const before = await cluster.diskFaultTally(name);
    const refused = async (): Promise<number> =>
      (await cluster.diskFaultTally(name)).refused - before.refused;
    let dead: readonly string[] = [];
    return {
      description: `every ${operation} of ${words} fails with ${code}`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length === 0) await cluster.setDiskFault(name, { type: 'error', operation, code });
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        return judge(name, spec, await refused(), await cluster.isRunning(name));
      },
      heal: async () => {
        // A death after the heal would look like one that no fault had caused. One that goes on over
        // refused syncs is killed meanwhile: has it told others of what is not there?
        const goesOn = (await refused()) > 0 && !(await hasEnded(context, name));
        if (goesOn && operation === 'sync') await cluster.kill(name);
        await cluster.setDiskFault(name, { type: 'none' });
        if (!(await cluster.isRunning(name))) await cluster.start(name);
      },
    };
  },
};

/** Waits for it. */
function hasEnded({ cluster, clock }: NemesisContext, name: string): Promise<boolean> {
  const limits = { intervalMs: STOP_RETRY_MS, limitMs: STOP_LIMIT_MS };
  return waitUntil(clock, limits, async () => !(await cluster.isRunning(name)));
}

function judge(
  name: string,
  { operation }: FaultSpecs['disk-error'],
  refused: number,
  isRunning: boolean,
): Observation {
  const state = isRunning ? 'still runs' : 'has stopped';
  return {
    effect: refused > 0 ? 'observed' : 'no-effect',
    observation: `${refused} refused (${operation}); ${name} ${state}`,
  };
}

/**
 * One member is killed and starts on a disk whose reads answer with flipped bits, always the same
 * ones; what is on the disk stays as it was. The member must notice what it takes for good and
 * refuse it, or not be touched by it. Healing kills it and starts it on good reads.
 */
import { drawOne } from '../draw.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { FaultPackage } from './fault.ts';
import { awaitStart, launchDamaged, type StartOutcome, settleDamagedStart } from './give-up.ts';
import { describeDead, findDead, resolveNode } from './target.ts';

/** One bit in a page, or in two: the log of a short storm has some tens of them. */
const EVERY_BYTES: readonly number[] = [4_096, 8_192];

const OUTCOME_WORDS: Readonly<Record<StartOutcome, string>> = {
  refused: 'refused to start',
  serving: 'serves',
  undecided: 'runs and answers no Status',
};

export const readRot: FaultPackage<'read-rot'> = {
  kind: 'read-rot',
  needs: 'read-rot',
  family: 'disk',
  alsoExcludes: ['process'],
  lastsPercent: [30, 60],
  plan: (nodes, random) => ({
    kind: 'read-rot',
    // Always the same: what it has read it may write down, and a second copy cannot be spared.
    node: nodes.at(-1)!,
    everyBytes: drawOne(random, EVERY_BYTES),
    seed: random.below(SEED_BOUND),
  }),
  async prepare(context, { node, everyBytes, seed }) {
    const { cluster } = context;
    const { name, words } = await resolveNode(context, node);
    const before = (await cluster.diskFaultTally(name)).rotten ?? 0;
    let dead: readonly string[] = [];
    let isRotten = false;
    return {
      description: `kill -9 ${words}, start it on reads with a bit in ${everyBytes} bytes flipped`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length > 0) return;
        // First, as it throws where the copy cannot be spared: then nothing was killed either.
        await cluster.setDiskFault(name, { type: 'rot', everyBytes, seed });
        isRotten = true;
        await cluster.kill(name);
        await launchDamaged(context, name);
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        const outcome = await awaitStart(context, name);
        const rotten = ((await cluster.diskFaultTally(name)).rotten ?? 0) - before;
        return {
          effect: rotten > 0 ? 'observed' : 'no-effect',
          observation: `${rotten} reads were rotten; ${name} ${OUTCOME_WORDS[outcome]}`,
        };
      },
      heal: async () => {
        // What it has read is in its memory: a death of that after the heal would have no cause.
        if (isRotten) await cluster.kill(name);
        await cluster.setDiskFault(name, { type: 'none' });
        if (!(await cluster.isRunning(name))) await launchDamaged(context, name);
        // Who wrote down what it had read, or cut off what it could not, may refuse it for good.
        if (isRotten) await settleDamagedStart(context, name);
      },
    };
  },
};

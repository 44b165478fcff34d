/**
 * One member is killed, and what its disk holds of the log is damaged before it starts again. The
 * member must notice, and refuse to start rather than serve from a log that is not what it wrote.
 */
import { assertNever } from '../../src/lib/assert.ts';
import type {
  FaultPackage,
  NemesisContext,
  NodeChoice,
  Observation,
  PreparedFault,
} from './fault.ts';
import { launchDamaged, type StartOutcome, settleDamagedStart } from './give-up.ts';
import { describeDead, drawNodeChoice, findDead, resolveNode } from './target.ts';

/** As the disk is damaged with the member down, nothing else may be done to either. */
const DAMAGE = {
  needs: 'disk-damage',
  family: 'process',
  alsoExcludes: ['disk'],
  lastsPercent: [20, 55],
} as const;

export const bitRot: FaultPackage<'bit-rot'> = {
  ...DAMAGE,
  kind: 'bit-rot',
  plan: (nodes, random) => ({ kind: 'bit-rot', node: drawNodeChoice(nodes, random) }),
  prepare: (context, spec) => damageOf(context, spec.node, 'bit-rot'),
};

export const misdirectedWrite: FaultPackage<'misdirected-write'> = {
  ...DAMAGE,
  kind: 'misdirected-write',
  plan: (nodes, random) => ({ kind: 'misdirected-write', node: drawNodeChoice(nodes, random) }),
  prepare: (context, spec) => damageOf(context, spec.node, 'misdirected-write'),
};

async function damageOf(
  context: NemesisContext,
  choice: NodeChoice,
  how: 'bit-rot' | 'misdirected-write',
): Promise<PreparedFault> {
  const { cluster } = context;
  const { name, words } = await resolveNode(context, choice);
  let deadBefore: readonly string[] = [];
  let damage: string | undefined;
  let isLaunched = false;
  return {
    description: `kill -9 ${words}, ${how} in its log, start it`,
    nodes: [name],
    inject: async () => {
      deadBefore = await findDead(context, [name]);
      if (deadBefore.length > 0) return;
      await cluster.kill(name);
      damage = await cluster.damageDisk(name, how);
      await launchDamaged(context, name);
      isLaunched = true;
    },
    observe: async () => {
      if (deadBefore.length > 0) {
        return { effect: 'no-effect', observation: describeDead(deadBefore) };
      }
      if (damage === undefined) {
        const observation = 'not damaged: no copy can be spared, or there is none';
        return { effect: 'no-effect', observation };
      }
      return judge(name, damage, await settleDamagedStart(context, name));
    },
    heal: async () => {
      if (!isLaunched && !(await cluster.isRunning(name))) await cluster.start(name);
      isLaunched = true;
      // Also when nobody observed: a member that refuses to start did not die alone.
      if (damage !== undefined) await settleDamagedStart(context, name);
    },
  };
}

/**
 * Unnoticed damage proves nothing: it hit what is not read, or it could not be told from a write
 * that a crash had cut short.
 */
function judge(name: string, damage: string, outcome: StartOutcome): Observation {
  switch (outcome) {
    case 'refused':
      return {
        effect: 'observed',
        observation: `${name} refused to start on a damaged log (${damage})`,
      };
    case 'serving':
      return {
        effect: 'no-effect',
        observation: `${name} started and serves: the damage (${damage}) went unnoticed`,
      };
    case 'undecided':
      return {
        effect: 'no-effect',
        observation: `${name} runs and answers no Status (${damage})`,
      };
    default:
      return assertNever(outcome);
  }
}

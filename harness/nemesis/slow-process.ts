/** Everything that one member does starts late, as on a machine that is far too busy. */
import { drawBetween } from '../draw.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { describeDead, drawNodeChoice, findDead, nodeNamed, resolveNode } from './target.ts';

const DELAY_MS_LEAST = 5;
const DELAY_MS_MOST = 300;

/** A slow member answers late; more than this is silence. */
const ANSWER_TIMEOUT_MS = 2_000;
const READINGS = 4;
/** Delays are drawn evenly up to the most: their mean is half of it, of few readings less. */
const EFFECT_SHARE = 0.25;

export const slowProcess: FaultPackage<'slow-process'> = {
  kind: 'slow-process',
  needs: 'slow-process',
  family: 'process',
  lastsPercent: [40, 65],
  plan: (nodes, random) => ({
    kind: 'slow-process',
    node: drawNodeChoice(nodes, random),
    delayMs: drawBetween(random, DELAY_MS_LEAST, DELAY_MS_MOST),
  }),
  async prepare(context, spec) {
    const { cluster } = context;
    const { name, words } = await resolveNode(context, spec.node);
    const before = await timeAnswers(context, name);
    let dead: readonly string[] = [];
    return {
      description: `all that ${words} does starts up to ${spec.delayMs} ms late`,
      nodes: [name],
      inject: async () => {
        dead = await findDead(context, [name]);
        if (dead.length === 0) await cluster.setSlowness(name, spec.delayMs);
      },
      observe: async () => {
        if (dead.length > 0) return { effect: 'no-effect', observation: describeDead(dead) };
        return judge(name, spec.delayMs, before, await timeAnswers(context, name));
      },
      heal: () => cluster.setSlowness(name, 0),
    };
  },
};

interface Answers {
  readonly meanMs: number;
  readonly slowestMs: number;
}

/** Of requests made at once; `undefined`: one was left without an answer. */
async function timeAnswers(context: NemesisContext, name: string): Promise<Answers | undefined> {
  const { clock, probe } = context;
  const node = nodeNamed(context, name);
  const timesMs = await Promise.all(
    Array.from({ length: READINGS }, async () => {
      const startNs = clock.nowNs();
      const answer = await probe.status(node, ANSWER_TIMEOUT_MS);
      return answer === undefined ? Number.POSITIVE_INFINITY : (clock.nowNs() - startNs) / 1e6;
    }),
  );
  const slowestMs = Math.max(...timesMs);
  if (slowestMs === Number.POSITIVE_INFINITY) return undefined;
  return { meanMs: timesMs.reduce((sum, each) => sum + each, 0) / READINGS, slowestMs };
}

/** Links to clients have delays of their own: the mean must also exceed what they did before. */
function judge(
  name: string,
  delayMs: number,
  before: Answers | undefined,
  after: Answers | undefined,
): Observation {
  if (before === undefined) {
    return { effect: 'no-effect', observation: `${name} did not answer before either` };
  }
  if (after === undefined) {
    return { effect: 'no-effect', observation: `no Status in ${ANSWER_TIMEOUT_MS} ms` };
  }
  const leastMs = Math.max(before.meanMs + EFFECT_SHARE * delayMs, before.slowestMs);
  return {
    effect: after.meanMs >= leastMs ? 'observed' : 'no-effect',
    observation: `Status after ${after.meanMs.toFixed(1)} ms, before ${before.meanMs.toFixed(1)} ms`,
  };
}

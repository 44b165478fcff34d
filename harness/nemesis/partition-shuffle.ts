/**
 * Partitions that follow each other without a pause: who was cut off a moment ago meets others
 * before those who went on without it. What a quiet network would mend first comes to light.
 */
import type { LinkCounter } from '../cluster/cluster.ts';
import { drawBetween, drawOrder } from '../draw.ts';
import type { FaultPackage, NemesisContext } from './fault.ts';
import { NO_GRUDGE, splitGrudge } from './grudge.ts';

/** From a few heartbeats to a few elections. */
const STEP_MS_LEAST = 100;
const STEP_MS_MOST = 2_000;
const SIDES_LEAST = 2;
const SIDES_MOST = 5;

export const partitionShuffle: FaultPackage<'partition-shuffle'> = {
  kind: 'partition-shuffle',
  needs: 'partition',
  family: 'network',
  lastsPercent: [70, 100],
  plan: (nodes, random) => ({
    kind: 'partition-shuffle',
    sides: Array.from({ length: drawBetween(random, SIDES_LEAST, SIDES_MOST) }, () => {
      const size = drawBetween(random, 1, Math.max(1, Math.floor(nodes.length / 2)));
      return drawOrder(random, nodes).slice(0, size).sort();
    }),
    stepMs: drawBetween(random, STEP_MS_LEAST, STEP_MS_MOST),
  }),
  async prepare(context, { sides, stepMs }) {
    const before = sumDropped(await context.cluster.linkCounters());
    const words = sides.map((side) => side.join(' ')).join(', then ');
    let shuffle: Shuffle | undefined;
    return {
      description: `apart from the others: ${words}; each for ${stepMs} ms, and over again`,
      nodes: [...new Set(sides.flat())].sort(),
      inject: async () => {
        shuffle = new Shuffle(context, sides, stepMs);
        await shuffle.begin();
      },
      observe: async () => {
        const dropped = sumDropped(await context.cluster.linkCounters()) - before;
        const observation = `${shuffle?.steps ?? 0} partitions swallowed ${dropped} in all`;
        return { effect: dropped > 0 ? 'observed' : 'no-effect', observation };
      },
      heal: async () => {
        await shuffle?.end();
        await context.cluster.setGrudge(NO_GRUDGE);
      },
    };
  },
};

class Shuffle {
  readonly #context: NemesisContext;
  readonly #sides: readonly (readonly string[])[];
  readonly #stepMs: number;
  #timer: Disposable | undefined;
  /** Steps are set one after the other, also when the cluster is slow to set them. */
  #setting: Promise<void> = Promise.resolve();
  steps = 0;

  constructor(context: NemesisContext, sides: readonly (readonly string[])[], stepMs: number) {
    this.#context = context;
    this.#sides = sides;
    this.#stepMs = stepMs;
  }

  async begin(): Promise<void> {
    await this.#step();
    this.#timer = this.#context.clock.every(this.#stepMs, () => {
      // A refused step is the next one's business; the last refusal is heal's.
      this.#setting = this.#setting.then(() => this.#step()).catch(() => undefined);
    });
  }

  async end(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#setting;
  }

  async #step(): Promise<void> {
    const { cluster } = this.#context;
    const side = this.#sides[this.steps % this.#sides.length]!;
    this.steps += 1;
    const others = cluster.nodes.map(({ name }) => name).filter((name) => !side.includes(name));
    await cluster.setGrudge(splitGrudge(side, others));
  }
}

function sumDropped(counters: readonly LinkCounter[]): number {
  return counters.reduce((sum, { dropped }) => sum + dropped, 0);
}

/** Asks generators without clients: every operation completes at once. */
import type { Generator, GeneratorStep, Invocation } from '../../workloads/generator/generator.ts';
import { testRandom } from './seeded-random.ts';

export interface Asked {
  readonly timeNs: number;
  readonly thread: number;
  readonly op: Invocation;
}

export interface AskOptions {
  readonly concurrency?: number;
  readonly seed?: number;
  /** Most operations asked for. */
  readonly opsMax?: number;
}

/** One question. */
export function askOnce(generator: Generator, timeNs = 0, thread = 0): GeneratorStep {
  const random = testRandom(1);
  return generator.next({ timeNs, process: thread, thread, concurrency: 4, random });
}

/** All free threads in turn, forward in time, until the generator is done or asked enough. */
export function askAll(generator: Generator, options: AskOptions = {}): Asked[] {
  const { concurrency = 4, seed = 1, opsMax = 1_000 } = options;
  const random = testRandom(seed);
  const asked: Asked[] = [];
  let current = generator;
  let timeNs = 0;
  while (asked.length < opsMax) {
    let untilNs = Number.POSITIVE_INFINITY;
    let hasAsked = false;
    const first = ((asked.at(-1)?.thread ?? -1) + 1) % concurrency;
    for (let turn = 0; turn < concurrency && asked.length < opsMax; turn++) {
      const thread = (first + turn) % concurrency;
      const step = current.next({ timeNs, process: thread, thread, concurrency, random });
      if (step.type === 'done') return asked;
      current = step.generator;
      if (step.type === 'pending') untilNs = Math.min(untilNs, step.untilNs);
      else {
        asked.push({ timeNs, thread, op: step.op });
        hasAsked = true;
      }
    }
    if (hasAsked) continue;
    if (untilNs === Number.POSITIVE_INFINITY) return asked;
    timeNs = untilNs;
  }
  return asked;
}

/** The functions asked for, in order. */
export function fsOf(asked: readonly Asked[]): readonly string[] {
  return asked.map(({ op }) => op.f);
}

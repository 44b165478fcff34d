/** The clocks of one member run faster or slower than everybody's, and its wall clock jumps. */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween, drawOne } from '../draw.ts';
import type { FaultPackage, FaultSpecs, Observation } from './fault.ts';
import { drawNodeChoice, resolveNode } from './target.ts';

/** Less drift than this would hide behind the time that a reading takes. */
const DRIFT_PERCENT_LEAST = 5;
const DRIFT_PERCENT_FASTER_MOST = 100;
const DRIFT_PERCENT_SLOWER_MOST = 50;
/** Second, minute, hour: evenly drawn jumps would be nearly all long. */
const JUMP_MS_SCALES = [1_000, 60_000, 3_600_000] as const;

/** How far a reading may be from what was asked for: reading takes time. */
const TOLERANCE_MS = 20;
const TOLERANCE_SHARE_OF_DRIFT = 0.1;

export const clockSkew: FaultPackage<'clock-skew'> = {
  kind: 'clock-skew',
  needs: 'clock',
  family: 'clock',
  lastsPercent: [50, 70],
  plan: (nodes, random) => ({
    kind: 'clock-skew',
    node: drawNodeChoice(nodes, random),
    driftPercent: drawDriftPercent(random),
    jumpMs: drawJumpMs(random),
  }),
  async prepare(context, spec) {
    const { cluster, clock } = context;
    const { driftPercent, jumpMs } = spec;
    const { name, words } = await resolveNode(context, spec.node);
    const beforeMs = await cluster.clockOffsetMs(name);
    let jumpedMs = 0;
    let sinceNs = 0;
    let settledMs = 0;
    return {
      description: `clock of ${words} ${describe(spec)}`,
      nodes: [name],
      inject: async () => {
        const startNs = clock.nowNs();
        await cluster.setClock(name, { driftPercent, jumpMs });
        jumpedMs = (await cluster.clockOffsetMs(name)) - beforeMs;
        sinceNs = clock.nowNs();
        settledMs = (sinceNs - startNs) / 1e6;
      },
      observe: async () => {
        const driftedMs = (await cluster.clockOffsetMs(name)) - beforeMs - jumpedMs;
        const elapsedMs = (clock.nowNs() - sinceNs) / 1e6;
        return judge(
          { jumpedMs, driftedMs },
          { jumpMs, driftMs: (driftPercent / 100) * elapsedMs },
          Math.abs(driftPercent / 100) * settledMs,
        );
      },
      heal: async () => {
        // A real member may be dead or suspended by now, and cannot be asked.
        if (cluster.resources !== undefined) return cluster.resources.restoreClock(name);
        await cluster.setClock(name, { driftPercent: 0, jumpMs: 0 });
        const backMs = Math.round(beforeMs - (await cluster.clockOffsetMs(name)));
        await cluster.setClock(name, { driftPercent: 0, jumpMs: backMs });
      },
    };
  },
};

function drawDriftPercent(random: Random): number {
  return random.below(3) === 0
    ? -drawBetween(random, DRIFT_PERCENT_LEAST, DRIFT_PERCENT_SLOWER_MOST)
    : drawBetween(random, DRIFT_PERCENT_LEAST, DRIFT_PERCENT_FASTER_MOST);
}

function drawJumpMs(random: Random): number {
  const lengthMs = drawBetween(random, 1, drawOne(random, JUMP_MS_SCALES));
  return random.below(2) === 0 ? lengthMs : -lengthMs;
}

function describe({ driftPercent, jumpMs }: FaultSpecs['clock-skew']): string {
  const speed = driftPercent < 0 ? 'slower' : 'faster';
  const direction = jumpMs < 0 ? 'back' : 'forward';
  return `${Math.abs(driftPercent)} % ${speed}, ${Math.abs(jumpMs)} ms ${direction}`;
}

/**
 * Jump and drift must both be as asked for, and one of them too much to be chance.
 * `driftedUnseenMs`: at most, between the order and the reading that followed it.
 */
function judge(
  seen: { readonly jumpedMs: number; readonly driftedMs: number },
  asked: { readonly jumpMs: number; readonly driftMs: number },
  driftedUnseenMs: number,
): Observation {
  const stillMs = TOLERANCE_MS + TOLERANCE_SHARE_OF_DRIFT * Math.abs(asked.driftMs);
  const isNear = (one: number, other: number): boolean =>
    Math.abs(one - other) <= stillMs + driftedUnseenMs;
  const isRight = isNear(seen.jumpedMs, asked.jumpMs) && isNear(seen.driftedMs, asked.driftMs);
  const isMoved = Math.max(Math.abs(seen.jumpedMs), Math.abs(seen.driftedMs)) > stillMs;
  const jump = `jumped ${seen.jumpedMs.toFixed(0)} of ${asked.jumpMs} ms`;
  const drift = `drifted ${seen.driftedMs.toFixed(0)} of ${asked.driftMs.toFixed(0)} ms`;
  return {
    effect: isRight && isMoved ? 'observed' : 'no-effect',
    observation: `wall clock ${jump}, ${drift}`,
  };
}

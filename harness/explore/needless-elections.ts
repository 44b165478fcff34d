/** Elections while nobody dies and nobody is cut off: at most slow disks, and an idle machine. */
import type { Clock } from '../../src/ports/clock.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import type { Sample } from '../sampler.ts';
import { judgeTerms } from '../scenarios/checkers/elections.ts';
import type { ExploreRun } from './draw-run.ts';
import type { Finding } from './finding.ts';

/** Faults that are no reason for an election. */
const CALM: readonly FaultKind[] = ['slow-disk', 'disk-latency'];
/** Parts that move the leader themselves, or take the machine's processors from the members. */
const RESTLESS: readonly string[] = ['upkeep', 'flood'];
const TICK_MS = 20;

export interface Lag extends Disposable {
  /** How late the harness was at worst: so late may members have been as well. */
  worstMs(): number;
}

export function watchLag(clock: Clock): Lag {
  let worst = 0;
  let lastNs = clock.nowNs();
  const timer = clock.every(TICK_MS, () => {
    const nowNs = clock.nowNs();
    worst = Math.max(worst, (nowNs - lastNs) / 1e6 - TICK_MS);
    lastNs = nowNs;
  });
  return { worstMs: () => worst, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

export function needlessElections(
  run: ExploreRun,
  samples: readonly Sample[],
  worstLagMs: number,
): Finding[] {
  const { faults, parts, memberCount, electionMs } = run;
  const isCalm = faults.every((kind) => CALM.includes(kind));
  const isRestless = parts.some(({ name }) => RESTLESS.includes(name));
  if (!isCalm || isRestless || memberCount < 2 || worstLagMs > electionMs / 4) return [];
  const terms = samples.flatMap((each) => (each.type === 'status' ? [each.sample.term] : []));
  const judged = judgeTerms(terms, run.timeLimitMs);
  if (judged.validity !== 'invalid') return [];
  return [{ checker: 'elections', sentence: `nobody was cut off or died, and ${judged.summary}` }];
}

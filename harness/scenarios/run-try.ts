/** One try of a scenario: its own clusters, its own data, its own time, and everything removed. */
import type { Random } from '../../src/ports/random.ts';
import type { BackendChoice } from '../backends.ts';
import { ClusterError, type Target } from '../cluster/cluster.ts';
import { StormError } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { within } from '../timing.ts';
import { ScenarioLab } from './lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from './scenario.ts';
import type { Try } from './tally.ts';

export interface TryRequest {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly choice: BackendChoice;
  readonly runsDirectory: string;
  readonly random: Random;
}

/** A scenario that does not notice the end of its time is left behind after this. */
const NOTICE_MS = 15_000;
const TICK_MS = 500;

/**
 * Rejects with StormError when interrupted, and with ClusterError when no cluster can be opened.
 */
export async function runTry(services: Services, request: TryRequest): Promise<Try> {
  const { scenario, target } = request;
  const { clock } = services;
  const over = new AbortController();
  // Late ticks are not made up: while the machine stands still no time is used.
  let ticks = 0;
  const timer = clock.every(TICK_MS, () => {
    if (++ticks * TICK_MS >= scenario.timeLimitMs) over.abort();
  });
  const onInterrupt = (): void => over.abort();
  services.signal.addEventListener('abort', onInterrupt, { once: true });
  if (services.signal.aborted) over.abort();
  const begunNs = clock.nowNs();
  try {
    await using lab = new ScenarioLab({
      services,
      name: scenario.name,
      target,
      choice: request.choice,
      runsDirectory: request.runsDirectory,
      random: request.random,
      signal: over.signal,
    });
    const outcome = await ended(services, scenario, lab, over.signal);
    const tookMs = (clock.nowNs() - begunNs) / 1e6;
    if (services.signal.aborted) throw new StormError('interrupted');
    return { outcome, tookMs, directories: lab.directories };
  } finally {
    timer[Symbol.dispose]();
    services.signal.removeEventListener('abort', onInterrupt);
  }
}

async function ended(
  services: Services,
  scenario: Scenario,
  lab: ScenarioLab,
  over: AbortSignal,
): Promise<Outcome> {
  const late = new Promise<undefined>((resolve) => {
    const give = async (): Promise<void> => {
      await within(services.clock, NOTICE_MS, new Promise<never>(() => undefined));
      resolve(undefined);
    };
    if (over.aborted) void give();
    else over.addEventListener('abort', () => void give(), { once: true });
  });
  try {
    const work = scenario.run(lab);
    work.catch(() => undefined);
    const outcome = await Promise.race([work, late]);
    return outcome ?? { type: 'undecided', reason: 'the time limit of a try was reached' };
  } catch (error) {
    if (error instanceof Undecided) return { type: 'undecided', reason: error.message };
    const isLater = lab.directories.length > 0;
    if (error instanceof ClusterError && isLater) {
      return { type: 'undecided', reason: error.message };
    }
    throw error;
  }
}

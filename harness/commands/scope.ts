/** `storm scope`: writes a page that plays a simulation, or one with a live cluster in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StormError } from '../exit-code.ts';
import { nodeNames } from '../plan.ts';
import type { Services } from '../services.ts';
import { isSimulatedRun } from '../sim/replay-run.ts';
import { simulate } from '../sim/simulate.ts';
import type { SwarmChoices } from '../sim/swarm.ts';
import type { TraceEvent } from '../sim/trace.ts';
import { planToReplay } from './sim.ts';

export interface ScopeRequest {
  /** What to play, as for `storm replay`; undefined: the live page. */
  readonly what: string | undefined;
  readonly choices: SwarmChoices;
  /** The file to write. */
  readonly out: string;
}

/** More would make a page that no browser likes; the end is what people look at. */
const EVENTS_MAX = 400_000;

/** 0 when the page is written. */
export async function scopeCommand(services: Services, request: ScopeRequest): Promise<number> {
  const { renderScope, renderLiveScope } = await import('../scope/render.ts');
  const page =
    request.what === undefined
      ? await renderLiveScope()
      : await renderScope(await record(services, request.what, request.choices));
  try {
    mkdirSync(dirname(request.out), { recursive: true });
    writeFileSync(request.out, page);
  } catch (error) {
    throw new StormError(`--out ${request.out}: ${String(error)}; give a writable file`, {
      cause: error,
    });
  }
  services.progress.print(`scope: ${request.out} (${(page.length / 1e6).toFixed(1)} MB)`);
  return 0;
}

/**
 * The last events, and before them what is still so when they begin: how each member was, and
 * the faults in place.
 */
function lastOf(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const from = Math.max(0, events.length - EVENTS_MAX);
  const lasting = new Map<string, TraceEvent>();
  for (const event of events.slice(0, from)) {
    if (event.type === 'member') lasting.set(event.node, event);
    if (event.type !== 'fault' || event.id === 0) continue;
    const key = `fault ${event.id}`;
    if (event.step === 'healed') lasting.delete(key);
    else if (event.step === 'inject') lasting.set(key, event);
  }
  return [...lasting.values(), ...events.slice(from)];
}

async function record({ progress }: Services, what: string, choices: SwarmChoices) {
  if (isSimulatedRun(what)) {
    throw new StormError(`scope ${what}: a run has no trace; give a seed or a scenario file`);
  }
  const { plan } = planToReplay({ what, choices });
  const events: TraceEvent[] = [];
  const tracer = {
    trace: (event: TraceEvent): void => {
      // Disks say so much that nothing else could be seen.
      if (event.type !== 'disk') events.push(event);
    },
  };
  const outcome = await simulate(plan, { tracer });
  const kept = lastOf(events);
  if (kept.length < events.length) {
    progress.print(`scope: only the last ${EVENTS_MAX} of ${events.length} events are in the page`);
  }
  return {
    title: 'Simulation',
    seed: plan.seed,
    memberNames: nodeNames(plan.memberCount),
    durationNs: outcome.simulatedNs,
    events: kept,
  };
}

/**
 * `storm mutants --cluster docker|process`: plants bugs in copies of the server, runs default
 * storms against them, and tells how often the verdict was invalid. A harness that finds none
 * of them proves nothing when it says `valid`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf } from '../exit-code.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { plant } from '../mutants/plant.ts';
import { RUN_DEFAULTS, type RunRequest } from '../options.ts';
import type { Services } from '../services.ts';
import { runCommand } from './run.ts';

export interface MutantStormsRequest {
  readonly mutants: readonly Mutant[];
  /** Storms against each of them. */
  readonly seeds: readonly number[];
  /** What `storm run` is asked for each time, but for seed and server. */
  readonly run: RunRequest;
}

/** Of its storms, a mutant must be found by at least this share. */
const FOUND_SHARE_LEAST = 0.9;

interface Hunt {
  readonly mutant: Mutant;
  readonly found: number;
  readonly slowestS: number;
}

/** 0: every mutant was found often enough; 1: one was not. */
export async function mutantStormsCommand(
  services: Services,
  request: MutantStormsRequest,
): Promise<number> {
  const hunts: Hunt[] = [];
  for (const mutant of request.mutants) hunts.push(await hunt(services, request, mutant));
  const { progress } = services;
  const storms = request.seeds.length;
  for (const { mutant, found, slowestS } of hunts) {
    progress.print(
      `mutant ${mutant.name}: invalid in ${found} of ${storms}, slowest run ${slowestS} s`,
    );
  }
  return hunts.every(({ found }) => found >= FOUND_SHARE_LEAST * storms) ? 0 : 1;
}

async function hunt(
  services: Services,
  request: MutantStormsRequest,
  mutant: Mutant,
): Promise<Hunt> {
  const { clock, progress } = services;
  const parent = await mkdtemp(join(tmpdir(), 'storm-mutant-'));
  let found = 0;
  let slowestS = 0;
  try {
    const root = await plant(mutant, RUN_DEFAULTS.root, parent);
    for (const seed of request.seeds) {
      progress.print(`mutant ${mutant.name}, seed ${seed}: ${mutant.story}`);
      const options = {
        ...request.run.options,
        seed,
        target: { kind: 'stormraft', root } as const,
      };
      const startNs = clock.nowNs();
      const code = await runCommand(services, { ...request.run, options });
      slowestS = Math.max(slowestS, Math.round((clock.nowNs() - startNs) / 1e9));
      if (code === exitCodeOf('invalid')) found += 1;
    }
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
  return { mutant, found, slowestS };
}

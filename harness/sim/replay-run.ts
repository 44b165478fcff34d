/** Does a run of `storm run --cluster sim` again, and compares what clients and nemesis saw. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../commands/run.ts';
import { exitCodeOf } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { RunDirectory } from '../store.ts';
import { CODE_FIELD, codeVersion, refuseOtherCode } from './code-version.ts';
import { inSimulation } from './simulated-services.ts';

const HISTORY_FILE = 'history.jsonl';

/** Whether the path is a run directory whose cluster was simulated. */
export function isSimulatedRun(path: string): boolean {
  if (!existsSync(join(path, 'plan.json'))) return false;
  return RunDirectory.open(path).readPlan().backend === 'sim';
}

/** The run's status; 2 if it went differently. Throws StormError if it was made by other code. */
export async function replayRun(services: Services, path: string): Promise<number> {
  const saved = RunDirectory.open(path);
  const made = saved.readEnvironment().find(({ name }) => name === CODE_FIELD)?.value;
  refuseOtherCode(path, made ?? 'unknown', codeVersion());
  const plan = saved.readPlan();
  const runsDirectory = mkdtempSync(join(tmpdir(), 'storm-replay-'));
  try {
    const request = { options: plan, cluster: 'sim', runsDirectory, junitFile: undefined } as const;
    const status = await inSimulation(services, plan.seed, (sim) => runCommand(sim, request));
    const isSame = historyIn(join(runsDirectory, 'latest')) === historyIn(path);
    services.progress.print(
      isSame
        ? 'replay: identical to the saved run'
        : `replay: differs from ${join(path, HISTORY_FILE)}`,
    );
    return isSame ? status : exitCodeOf('unknown');
  } finally {
    rmSync(runsDirectory, { recursive: true, force: true });
  }
}

function historyIn(directory: string): string {
  return readFileSync(join(directory, HISTORY_FILE), 'utf8');
}

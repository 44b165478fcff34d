/** The process that makes the load: none but it sends requests while something is measured. */
import { RealClock } from '../../src/host/real-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { runLoad } from './load.ts';
import type { LoadAnswer, LoadJob } from './load-job.ts';
import { loadKeys } from './load-keys.ts';

// A terminal's interrupt is for the parent, who ends this process.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));

process.on('message', (job: LoadJob) => {
  perform(job).then(answer, (error: unknown) => {
    answer({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  });
});

async function perform(job: LoadJob): Promise<LoadAnswer> {
  switch (job.type) {
    case 'keys':
      await loadKeys(job.endpoint, job);
      return { type: 'loaded' };
    case 'load': {
      const random = seededRandom(job.seed);
      const onPhase = (phase: 'measuring' | 'measured'): void => answer({ type: phase });
      const ports = { clock: new RealClock(), random, onPhase };
      return { type: 'done', result: await runLoad(job.spec, ports) };
    }
    default:
      return job satisfies never;
  }
}

function answer(message: LoadAnswer): void {
  process.send?.(message);
}

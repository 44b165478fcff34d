/**
 * A process that simulates for another one: it may be a copy of the repository with a bug in
 * it, may run in circles or out of memory, and is simply ended then. One job at a time.
 */
import { codeVersion } from './code-version.ts';
import { type SimAnswer, type SimJob, summaryOf } from './job.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import { drawSimPlan } from './swarm.ts';

const code: string = codeVersion();

// A terminal's interrupt is for the parent, who ends its workers.
process.on('SIGINT', () => undefined);

process.on('message', (job: SimJob) => {
  const startUs = cpuUs();
  perform(job)
    .then((answer) => process.send?.({ ...answer, cpuMs: Math.round((cpuUs() - startUs) / 1000) }))
    .catch((error: unknown) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.send?.({ type: 'crashed', detail, cpuMs: Math.round((cpuUs() - startUs) / 1000) });
    });
});

type WithoutCpu<Answer> = Answer extends unknown ? Omit<Answer, 'cpuMs'> : never;

async function perform(job: SimJob): Promise<WithoutCpu<SimAnswer>> {
  switch (job.type) {
    case 'seed': {
      const plan = drawSimPlan(job.seed, code, job.choices);
      return { type: 'ran', plan, summary: summaryOf(await simulate(plan)) };
    }
    case 'plan':
      return { type: 'ran', plan: job.plan, summary: summaryOf(await simulate(job.plan)) };
    case 'shrink': {
      const { runsMax } = job;
      const { plan, outcome, runs } = await shrink(job.plan, { simulate, runsMax });
      return { type: 'shrunk', plan, summary: summaryOf(outcome), runs };
    }
    default:
      return job satisfies never;
  }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

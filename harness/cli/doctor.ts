/** `storm doctor` on the command line. */
import type { Command } from 'commander';
import type { DoctorRequest } from '../doctor/doctor.ts';
import type { DoctorScope } from '../doctor/table.ts';
import { StormError } from '../exit-code.ts';
import { parseTarget } from '../options.ts';
import { openProgress } from '../progress.ts';
import type { Choose } from './action.ts';

const COLUMNS_DEFAULT = 100;

interface RawDoctor {
  readonly cluster?: string;
  readonly json?: boolean;
}

export function addDoctor(program: Command, choose: Choose): void {
  program
    .command('doctor')
    .description('which fault mechanisms work on this machine: tries each, prints a table')
    .option('--cluster <backend>', 'docker, process or all (all)')
    .option('--json', 'print the table as JSON; stages go to standard error')
    .action((raw: RawDoctor) => {
      const [cluster, json, target] = [parseScope(raw.cluster), raw.json === true, parseTarget({})];
      const columns = process.stdout.columns ?? COLUMNS_DEFAULT;
      choose(async (services) => {
        const { doctorCommand } = await import('../doctor/doctor.ts');
        const progress = json ? openProgress(process.stderr) : services.progress;
        const request: DoctorRequest = { cluster, json, target, progress, columns };
        return doctorCommand(services, request);
      });
    });
}

/** Throws {@link StormError}. */
export function parseScope(text: string | undefined): DoctorScope {
  switch (text) {
    case undefined:
      return 'all';
    case 'docker':
    case 'process':
    case 'all':
      return text;
    default:
      throw new StormError(`--cluster ${text}: unknown; use docker, process or all`);
  }
}

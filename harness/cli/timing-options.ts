/** Options of every command that opens a cluster. */
import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../options.ts';

export function withTiming(command: Command): Command {
  return command
    .option('--cluster <backend>', `docker, process, sim or auto (${RUN_DEFAULTS.cluster})`)
    .option('--members <n>', `members of the cluster (${RUN_DEFAULTS.members})`)
    .option('--heartbeat-interval <ms>', `(${RUN_DEFAULTS.heartbeatMs})`)
    .option('--election-timeout <ms>', `at least 5 heartbeats (${RUN_DEFAULTS.electionMs})`)
    .option('--runs-dir <dir>', `where run directories go (${RUN_DEFAULTS.runsDirectory})`);
}

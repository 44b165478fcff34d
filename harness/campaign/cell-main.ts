/**
 * The process of one cell: `storm run` with the options of its argument, a {@link CellOrder}. It
 * heals, tears down and ends when the campaign lets go of it, whether on purpose or by dying.
 */
import { runCommand } from '../commands/run.ts';
import { EXIT_ENVIRONMENT } from '../exit-code.ts';
import { withLifetime } from '../lifetime.ts';
import { parseRunRequest, type RawRunOptions } from '../options.ts';
import { openProgress } from '../progress.ts';
import { inSimulation } from '../sim/simulated-services.ts';
import { wireServices } from '../wiring.ts';
import { type DockerHost, requireDaemon } from './docker-hosts.ts';

export interface CellOrder {
  readonly options: RawRunOptions;
  /** Its address is in DOCKER_HOST already. */
  readonly host: DockerHost | undefined;
}

process.exitCode = await main(process.argv[2] ?? '');
// Keep-alive connections of clients and daemons would hold the process for seconds more.
process.exit();

async function main(order: string): Promise<number> {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  try {
    const { options, host } = JSON.parse(order) as CellOrder;
    const request = parseRunRequest(options, () => 0);
    if (host !== undefined) await requireDaemon(host);
    return await withLifetime(complain, async (signal) => {
      const services = wireServices(openProgress(process.stdout), signal);
      if (request.cluster !== 'sim') return runCommand(services, request);
      const { seed } = request.options;
      return inSimulation(services, seed, (simulated) => runCommand(simulated, request));
    });
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return EXIT_ENVIRONMENT;
  }
}

/** One line, whatever the message holds. */
function complain(message: string): void {
  process.stderr.write(`storm: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

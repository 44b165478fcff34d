/** Signals to a member's process group. */

import { once } from 'node:events';
import { choosePorts } from '../../cluster/process/ports.ts';
import { identify, isAlive, signalGroup } from '../../cluster/process/process-table.ts';
import { waitUntil } from '../../timing.ts';
import { insideCommand } from '../inside-program.ts';
import { faultsThatNeed, inMs, no, type Probe, yes } from '../probe.ts';
import type { ProcessScratch } from './scratch.ts';

const SILENCE_MS = 400;
const ANSWER_MS_MAX = 10_000;
const POLL_MS = 10;

interface Server {
  readonly pid: number;
  /** False: silent for 400 ms, or refused. */
  answers(): Promise<boolean>;
}

async function startServer(scratch: ProcessScratch): Promise<Server> {
  const [port] = await choosePorts(1, scratch.bench.runId);
  const parameters = [`127.0.0.1:${port}`];
  const child = scratch.start(insideCommand(process.execPath, 'answer', parameters));
  if (child.pid === undefined || child.stdout === null) throw new Error('no process was started');
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  return {
    pid: child.pid,
    async answers() {
      try {
        const signal = AbortSignal.timeout(SILENCE_MS);
        // A connection kept from an earlier call would be answered by nobody.
        const headers = { connection: 'close' };
        return (await fetch(`http://127.0.0.1:${port}/`, { signal, headers })).ok;
      } catch {
        return false;
      }
    },
  };
}

export const SIGNAL_PROBES: readonly Probe<ProcessScratch>[] = [
  {
    mechanism: 'SIGSTOP, SIGCONT',
    backend: 'process',
    usedBy: faultsThatNeed('pause'),
    fallback: 'none: every system with processes has them',
    async run(scratch, signal) {
      const { clock } = scratch.bench;
      const { pid, answers } = await startServer(scratch);
      try {
        const limits = { intervalMs: POLL_MS, limitMs: ANSWER_MS_MAX, signal };
        if (!(await waitUntil(clock, limits, answers))) return no('the server does not answer');
        signalGroup(pid, 'SIGSTOP');
        if (await answers()) return no('a stopped server still answers');
        signalGroup(pid, 'SIGCONT');
        const startNs = clock.nowNs();
        if (!(await waitUntil(clock, limits, answers))) return no('it stays silent after SIGCONT');
        const backMs = (clock.nowNs() - startNs) / 1e6;
        return yes(`silent while stopped, answers ${inMs(backMs)} after`);
      } finally {
        await scratch.end(pid);
      }
    },
  },
  {
    mechanism: 'SIGKILL',
    backend: 'process',
    usedBy: faultsThatNeed('kill'),
    fallback: 'none: every system with processes has it',
    async run(scratch) {
      const { clock } = scratch.bench;
      const { pid, answers } = await startServer(scratch);
      const identity = identify(pid);
      const startNs = clock.nowNs();
      await scratch.end(pid);
      const goneMs = (clock.nowNs() - startNs) / 1e6;
      if (identity !== undefined && isAlive(identity)) return no('the process survives');
      if (await answers()) return no('its port still answers');
      return yes(`the whole group is gone after ${inMs(goneMs)}`);
    },
  },
];

/** Processor, memory, clock and log of processes. */

import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogRelay, throughRelay } from '../../cluster/log-relay.ts';
import { cpuQuotaFor, ownCpuCgroup } from '../../cluster/process/cpu-quota.ts';
import { cpuMsOf, groupProcesses } from '../../cluster/process/process-table.ts';
import { findFaketime, runScript } from '../../cluster/process/resources.ts';
import { figure, insideCommand } from '../inside-program.ts';
import { faultsThatNeed, inPercent, no, type Probe, yes } from '../probe.ts';
import type { ProcessScratch } from './scratch.ts';

const SHARE = 0.2;
const WINDOW_MS = 800;
const FAKED_HOURS = 1;
const SPIN = 'process.stdout.write("ready"); for (;;);';
const READY_MS_MAX = 10_000;

export const RESOURCE_PROBES: readonly Probe<ProcessScratch>[] = [
  {
    mechanism: 'processor quota',
    backend: 'process',
    usedBy: faultsThatNeed('cpu-quota'),
    fallback: 'SIGSTOP and SIGCONT in turn',
    async run(scratch) {
      if (process.platform !== 'linux') return no('needs /proc: Linux');
      const cgroup = ownCpuCgroup();
      const quota = cpuQuotaFor(cgroup, scratch.bench.runId, 'doctor');
      const child = scratch.start([process.execPath, '-e', SPIN]);
      const { pid, stdout } = child;
      if (pid === undefined || stdout === null) return no('no process was started');
      const usedMs = (): number =>
        groupProcesses(pid).reduce((sum, each) => sum + cpuMsOf(each), 0);
      try {
        await once(stdout, 'data', { signal: AbortSignal.timeout(READY_MS_MAX) });
        await quota.set(pid, 100 * SHARE);
        const { clock } = scratch.bench;
        const [startNs, before] = [clock.nowNs(), usedMs()];
        await sleep(WINDOW_MS);
        const share = (usedMs() - before) / ((clock.nowNs() - startNs) / 1e6);
        const how = cgroup === undefined ? 'SIGSTOP and SIGCONT' : 'a cgroup';
        const words = `${how}: ${inPercent(SHARE)} of a core asked for, ${inPercent(share)} measured`;
        return (share <= SHARE * 1.4 ? yes : no)(words);
      } finally {
        await scratch.end(pid);
        await quota.lift();
      }
    },
  },
  {
    mechanism: 'libfaketime',
    backend: 'process',
    usedBy: faultsThatNeed('clock'),
    fallback: 'none: setting the clock would move the machine; the simulator has it',
    async run(scratch) {
      const library = findFaketime();
      if (library === undefined) return no('libfaketime is not installed');
      const faked = [
        `LD_PRELOAD=${library}`,
        `FAKETIME=+${FAKED_HOURS}h`,
        'FAKETIME_DONT_FAKE_MONOTONIC=1',
      ];
      const { clock } = scratch.bench;
      const startMs = clock.wallMs();
      const wall = insideCommand(process.execPath, 'work', ['wall']);
      const child = scratch.start(['env', ...faked, ...wall]);
      const wallMs = figure(await scratch.printedBy(child), 'wallMs') - FAKED_HOURS * 3_600_000;
      const isRight = wallMs >= startMs - 1_000 && wallMs <= clock.wallMs() + 1_000;
      return isRight
        ? yes(`the wall clock of Node is ${FAKED_HOURS} h ahead as asked for`)
        : no('the wall clock of Node is not where it was put');
    },
  },
  {
    mechanism: 'FIFO before the log',
    backend: 'process',
    usedBy: faultsThatNeed('log-stall'),
    fallback: 'none',
    async run(scratch) {
      const directory = scratch.newDirectory('log');
      const fifo = join(directory, 'fifo');
      const loop = 'while :; do echo a line of a log; sleep 0.01; done';
      const command = throughRelay(fifo, join(directory, 'log'), ['sh', '-c', loop]);
      const child = scratch.start(command);
      const relay = new LogRelay(fifo, runScript);
      try {
        await sleep(WINDOW_MS / 4);
        await relay.stall();
        await sleep(WINDOW_MS / 4);
        const pids = groupProcesses(child.pid ?? 0).map(String);
        const { waitingBytes, isFull, blockedThreads } = await relay.state(pids);
        const words = `${waitingBytes} bytes wait, ${blockedThreads} threads hang in a write`;
        return (isFull && blockedThreads > 0 ? yes : no)(words);
      } finally {
        await scratch.end(child.pid);
      }
    },
  },
];

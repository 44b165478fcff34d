/** What the daemon does to a container: suspend, kill, throttle, limit. */

import { figure, insideCommand } from '../inside-program.ts';
import { faultsThatNeed, inMs, inPercent, no, type Probe, yes } from '../probe.ts';
import { execInside } from './programs.ts';
import type { DockerScratch } from './scratch.ts';

const CPU_PERIOD_US = 100_000;
const CPU_SHARE = 0.2;
const SPIN_MS = 800;
const MEMORY_MIB = 96;
const HOARD_MIB = 384;

export const CONTAINER_PROBES: readonly Probe<DockerScratch>[] = [
  {
    mechanism: 'pause, unpause',
    backend: 'docker',
    usedBy: faultsThatNeed('pause'),
    fallback: "SIGSTOP to the server's process inside its container",
    async run(scratch, signal) {
      const pod = await scratch.pod();
      await scratch.untilAnswers(pod, signal);
      await pod.server.pause();
      try {
        if ((await scratch.ask(pod)) !== undefined) return no('a paused server still answers');
      } finally {
        await pod.server.unpause();
      }
      const backMs = await scratch.untilAnswers(pod, signal);
      return yes(`silent while paused, answers ${inMs(backMs)} after`);
    },
  },
  {
    mechanism: 'kill, start',
    backend: 'docker',
    usedBy: faultsThatNeed('kill'),
    fallback: 'none: every runtime can kill',
    async run(scratch, signal) {
      const pod = await scratch.pod();
      await scratch.untilAnswers(pod, signal);
      await pod.server.kill({ signal: 'SIGKILL' });
      await pod.server.wait({ abortSignal: signal });
      if ((await scratch.ask(pod)) !== undefined) return no('a killed server still answers');
      const { State } = await pod.server.inspect();
      await pod.server.start();
      const backMs = await scratch.untilAnswers(pod, signal);
      return yes(`exit ${State.ExitCode}; on the same port ${inMs(backMs)} after the start`);
    },
  },
  {
    mechanism: 'CPU quota',
    backend: 'docker',
    usedBy: faultsThatNeed('cpu-quota'),
    fallback: 'pausing and unpausing in turns',
    async run(scratch) {
      const { server } = await scratch.pod();
      const spin = () => execInside(scratch, server.id, 'work', ['spin', String(SPIN_MS)]);
      const before = figure(await spin(), 'share');
      const quota = CPU_SHARE * CPU_PERIOD_US;
      await server.update({ CpuPeriod: CPU_PERIOD_US, CpuQuota: quota });
      let throttled: Readonly<Record<string, unknown>>;
      try {
        throttled = await spin();
      } finally {
        await server.update({ CpuQuota: -1 });
      }
      const share = figure(throttled, 'share');
      const words = `${inPercent(CPU_SHARE)} of a core asked for, ${inPercent(share)} measured`;
      // On a busy machine even a free loop gets little: then the kernel's count decides.
      const isThrottled = figure(throttled, 'throttled') > 0 || before > 1.5 * share;
      const bites = share < 1.5 * CPU_SHARE && isThrottled;
      return (bites ? yes : no)(`${words}, ${inPercent(before)} before`);
    },
  },
  {
    mechanism: 'memory limit',
    backend: 'docker',
    usedBy: faultsThatNeed('memory-limit'),
    fallback: 'prlimit --as on the process, which refuses memory instead of killing',
    async run(scratch, signal) {
      const command = insideCommand('node', 'work', ['hoard', String(HOARD_MIB)]);
      const bytes = MEMORY_MIB * 2 ** 20;
      const ended = await scratch.runOnce(command, { Memory: bytes, MemorySwap: bytes }, signal);
      const words = `${HOARD_MIB} MiB asked for under a limit of ${MEMORY_MIB} MiB`;
      if (ended.exitCode === 0) return no(`${words} were given`);
      if (!ended.oomKilled) return no(`${words}: exit ${ended.exitCode}, but not OOMKilled`);
      return yes(`${words}: OOMKilled, exit ${ended.exitCode}; set at create only`);
    },
  },
];

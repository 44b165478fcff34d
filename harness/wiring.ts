/** The one place where the commands get their real surroundings. */
import { RealClock } from '../src/host/real-clock.ts';
import { defaultWorkload } from '../workloads/default-workload.ts';
import { BACKENDS } from './backends.ts';
import { connectMember, openKeyClient, openMemberProbe } from './etcd-members.ts';
import type { Progress } from './progress.ts';
import type { Services } from './services.ts';

export function wireServices(progress: Progress, signal: AbortSignal): Services {
  return {
    backends: BACKENDS,
    clock: new RealClock(),
    progress,
    processId: process.pid,
    signal,
    openProbe: openMemberProbe,
    openKeyClient,
    workload: ({ concurrency, ratePerSecond, memberCount }, nodes = []) =>
      defaultWorkload({
        connect: (url) => connectMember(url, nodes.find((node) => node.clientUrl === url)?.tls),
        concurrency,
        opsPerSecond: ratePerSecond,
        memberCount,
      }),
    renderReport: async (record) => {
      const { renderReport } = await import('../reports/report.ts');
      return renderReport(record);
    },
  };
}

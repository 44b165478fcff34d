import { readdirSync, readFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import type { Clock } from '../ports/clock.ts';
import { Histogram, type Reading, registerReadings } from './metrics-registry.ts';
import { fileDescriptorLimit } from './pages/debug-vars-page.ts';

/** What the process takes of the machine, by Prometheus' usual names; and its event loop. */

const US_PER_S = 1_000_000;
const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;
const NS_PER_S = 1_000_000_000;
const KIB = 1024;
const SAMPLE_EVERY_MS = 20;
const DELAY_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export function registerProcessMetrics(registry: Registry): void {
  registerReadings(registry, [...COMMON, ...(process.platform === 'linux' ? LINUX : [])]);
}

const COMMON: readonly Reading[] = [
  {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    type: 'gauge',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, in user and system mode.',
    type: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_S;
    },
  },
  {
    name: 'process_start_time_seconds',
    help: 'When the process started, in Unix time.',
    type: 'gauge',
    read: () => performance.timeOrigin / MS_PER_S,
  },
];

const LINUX: readonly Reading[] = [
  {
    name: 'process_virtual_memory_bytes',
    help: 'Address space of the process.',
    type: 'gauge',
    read: () => {
      const [, sizeKib] = /^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
      return sizeKib === undefined ? [] : Number(sizeKib) * KIB;
    },
  },
  {
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    type: 'gauge',
    read: openFileDescriptors,
  },
  {
    name: 'process_max_fds',
    help: 'File descriptors that may be open.',
    type: 'gauge',
    read: () => fileDescriptorLimit() ?? [],
  },
  {
    name: 'os_fd_used',
    help: 'As process_open_fds, by the name etcd has for it.',
    type: 'gauge',
    read: openFileDescriptors,
  },
  {
    name: 'os_fd_limit',
    help: 'As process_max_fds, by the name etcd has for it.',
    type: 'gauge',
    read: () => fileDescriptorLimit() ?? [],
  },
];

function openFileDescriptors(): number {
  // One of them is the directory being read.
  return readdirSync('/proc/self/fd').length - 1;
}

/** Samples how late timers are, from the call of the returned function until that one's result is. */
export function eventLoopDelay(
  registry: Registry,
  clock: Pick<Clock, 'nowNs' | 'every'>,
): () => () => void {
  const delays = new Histogram(registry, {
    name: 'stormraft_event_loop_delay_seconds',
    help: 'How late timers of the one thread are; sampled 50 times a second.',
    buckets: DELAY_BUCKETS_S,
  }).with();
  return () => {
    let dueNs = clock.nowNs() + SAMPLE_EVERY_MS * NS_PER_MS;
    const timer = clock.every(SAMPLE_EVERY_MS, () => {
      const nowNs = clock.nowNs();
      delays.observe(Math.max(nowNs - dueNs, 0) / NS_PER_S);
      dueNs = nowNs + SAMPLE_EVERY_MS * NS_PER_MS;
    });
    return () => timer[Symbol.dispose]();
  };
}

/** All probes of the process backend, in the order in which the table has them. */

import type { Probe } from '../probe.ts';
import { DISK_PROBES } from './disks.ts';
import { ETCD_PROBE } from './etcd.ts';
import { LINKS_PROBE } from './links.ts';
import { RESOURCE_PROBES } from './resources.ts';
import type { ProcessScratch } from './scratch.ts';
import { SIGNAL_PROBES } from './signals.ts';

export const PROCESS_PROBES: readonly Probe<ProcessScratch>[] = [
  ...SIGNAL_PROBES,
  LINKS_PROBE,
  ...DISK_PROBES,
  ...RESOURCE_PROBES,
  ETCD_PROBE,
];

/** All probes of the docker backend, in the order in which the table has them. */

import type { Probe } from '../probe.ts';
import { CONTAINER_PROBES } from './containers.ts';
import { CUT_PROBES } from './cuts.ts';
import { LINK_QUALITY_PROBES } from './link-quality.ts';
import { MACHINE_PROBES } from './machine.ts';
import type { DockerScratch } from './scratch.ts';

export const DOCKER_PROBES: readonly Probe<DockerScratch>[] = [
  ...CONTAINER_PROBES,
  ...CUT_PROBES,
  ...LINK_QUALITY_PROBES,
  ...MACHINE_PROBES,
];

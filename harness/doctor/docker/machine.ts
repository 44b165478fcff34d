/** The daemon, and what containers can have of disks and clocks. */

import { connectDaemon } from '../../cluster/docker/daemon.ts';
import { FUSE_HOST_CONFIG } from '../../cluster/docker/pod.ts';
import { DISK_PROBE_COMMAND } from '../../cluster/docker/server-command.ts';
import { FAULT_KINDS } from '../../nemesis/packages.ts';
import { figure, insideCommand } from '../inside-program.ts';
import {
  type Bench,
  FUSE_CAPABILITIES,
  faultsThatNeed,
  inMs,
  no,
  type Probe,
  yes,
} from '../probe.ts';
import { execInside, printedBy } from './programs.ts';
import type { DockerScratch } from './scratch.ts';

const FSYNC_DELAY_MS = 50;
const TMPFS_MIB = 2;
/** Where distributions put the library. */
const FAKETIME_PATHS = '/usr/lib/*/faketime/libfaketimeMT.so.1 /usr/*/faketime/libfaketimeMT.so.1';
const FAKED_HOURS = 1;

/** Needs no image. */
export const DAEMON_PROBE: Probe<Bench> = {
  mechanism: 'daemon',
  backend: 'docker',
  usedBy: FAULT_KINDS,
  fallback: '--cluster process',
  async run() {
    const { docker } = await connectDaemon();
    const [{ Version, ApiVersion }, info] = await Promise.all([docker.version(), docker.info()]);
    const { KernelVersion, CgroupVersion = '1' } = info as {
      readonly KernelVersion: string;
      readonly CgroupVersion?: string;
    };
    const words = `Docker ${Version}, API ${ApiVersion}`;
    return yes(`${words}; kernel ${KernelVersion}, cgroup v${CgroupVersion}`);
  },
};

export const MACHINE_PROBES: readonly Probe<DockerScratch>[] = [
  {
    mechanism: 'FUSE in the container',
    backend: 'docker',
    usedBy: faultsThatNeed(...FUSE_CAPABILITIES),
    fallback: 'strace as launcher (delays, errors), tmpfs (full disk); lost writes: none',
    async run(scratch, signal) {
      const delay = ['--fsync-delay-ms', String(FSYNC_DELAY_MS)];
      const disk = ['--mount', '/data', '--backing', '/backing', ...delay, '--'];
      const command = [
        ...DISK_PROBE_COMMAND.filter((word) => word !== '--probe'),
        ...disk,
        ...insideCommand('node', 'work', ['fsync', '/data']),
      ];
      const ended = await scratch.runOnce(command, FUSE_HOST_CONFIG, signal);
      const measuredMs = figure(printedBy(ended), 'medianMs');
      const words = `fsync: ${FSYNC_DELAY_MS} ms more asked for, ${inMs(measuredMs)} measured`;
      return (measuredMs >= FSYNC_DELAY_MS ? yes : no)(words);
    },
  },
  {
    mechanism: 'tmpfs size limit',
    backend: 'docker',
    usedBy: [],
    fallback: 'ENOSPC from the FUSE disk',
    async run(scratch, signal) {
      const command = insideCommand('node', 'work', ['fill', '/small', String(2 * TMPFS_MIB)]);
      const tmpfs = { '/small': `size=${TMPFS_MIB}m` };
      const printed = printedBy(await scratch.runOnce(command, { Tmpfs: tmpfs }, signal));
      const mebibytes = figure(printed, 'bytes') / 2 ** 20;
      if (printed.code !== 'ENOSPC') return no(`${mebibytes} MiB fit into ${TMPFS_MIB} MiB`);
      return yes(`ENOSPC after ${mebibytes.toFixed(1)} MiB of ${TMPFS_MIB} MiB`);
    },
  },
  {
    mechanism: 'libfaketime in the image',
    backend: 'docker',
    usedBy: faultsThatNeed('clock'),
    fallback: 'none in containers: setting the clock would move the host; the simulator has it',
    async run(scratch) {
      const { server } = await scratch.pod();
      const search = ['sh', '-c', `ls ${FAKETIME_PATHS} 2>/dev/null | head -n 1`];
      const library = (await scratch.exec(server.id, search)).stdout.trim();
      if (library === '') return no('the image has no libfaketimeMT.so.1');
      const wallMs = async (environment: readonly string[]): Promise<number> =>
        figure(await execInside(scratch, server.id, 'work', ['wall'], environment), 'wallMs');
      const before = await wallMs([]);
      const faked = await wallMs([
        `LD_PRELOAD=${library}`,
        `FAKETIME=+${FAKED_HOURS}h`,
        'FAKETIME_DONT_FAKE_MONOTONIC=1',
      ]);
      const after = await wallMs([]);
      const real = faked - FAKED_HOURS * 3_600_000;
      const words = `the wall clock of Node is ${FAKED_HOURS} h ahead as asked for`;
      // Whole seconds, because the offset is one.
      if (real >= before - 1_000 && real <= after + 1_000) return yes(words);
      return no(`the wall clock of Node is off by ${inMs(faked - before)}`);
    },
  },
];

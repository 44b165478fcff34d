/** What slows or limits a process's files: FUSE, strace, resource limits. */

import { probeDisk } from '../../cluster/process/disk-probe.ts';
import { programPath } from '../../cluster/process/programs.ts';
import { figure, insideCommand } from '../inside-program.ts';
import {
  FUSE_CAPABILITIES,
  faultsThatNeed,
  inMs,
  no,
  type Probe,
  type ProbeResult,
  reasonOf,
  yes,
} from '../probe.ts';
import type { ProcessScratch } from './scratch.ts';

const FSYNC_DELAY_MS = 50;
const FILE_BYTES_MAX = 65_536;

function fsyncIn(directory: string): readonly [string, ...string[]] {
  return insideCommand(process.execPath, 'work', ['fsync', directory]);
}

/** Whether a program with a delay of 50 ms in front of its fsyncs is as slow as that. */
async function judgeFsync(
  scratch: ProcessScratch,
  directory: string,
  slowed: readonly [string, ...string[]],
  how: string,
): Promise<ProbeResult> {
  const median = async (command: readonly [string, ...string[]]): Promise<number> =>
    figure(await scratch.printedBy(scratch.start(command)), 'medianMs');
  const plainMs = await median(fsyncIn(directory));
  const slowedMs = await median(slowed);
  const measured = `${inMs(slowedMs)} measured, ${inMs(plainMs)} before`;
  const words = `${how}; fsync: ${FSYNC_DELAY_MS} ms more asked for, ${measured}`;
  return (slowedMs >= FSYNC_DELAY_MS ? yes : no)(words);
}

export const DISK_PROBES: readonly Probe<ProcessScratch>[] = [
  {
    mechanism: 'FUSE, own mount namespace',
    backend: 'process',
    usedBy: faultsThatNeed(...FUSE_CAPABILITIES),
    fallback: 'strace as launcher (delays, errors); lost writes: none',
    async run(scratch) {
      const unshare = await probeDisk(scratch.environment);
      if (!unshare.ok) return no(reasonOf(unshare.error));
      const [mount, backing] = [scratch.newDirectory('mount'), scratch.newDirectory('backing')];
      const [program, ...parameters] = unshare.value;
      const slowed = [
        program,
        ...parameters,
        process.execPath,
        programPath('../../disk/main'),
        `--mount=${mount}`,
        `--backing=${backing}`,
        `--fsync-delay-ms=${FSYNC_DELAY_MS}`,
        '--',
        ...fsyncIn(mount),
      ] as const;
      return judgeFsync(scratch, backing, slowed, unshare.value.join(' '));
    },
  },
  {
    mechanism: 'strace as launcher',
    backend: 'process',
    usedBy: faultsThatNeed('slow-disk'),
    fallback: 'FUSE, which can change the delay while the member runs',
    async run(scratch) {
      const directory = scratch.newDirectory('strace');
      const calls = 'fsync,fdatasync';
      const inject = `inject=${calls}:delay_exit=${FSYNC_DELAY_MS * 1_000}`;
      const slowed = [
        ...['strace', '-f', '--seccomp-bpf', '-o', '/dev/null'],
        ...['-e', `trace=${calls}`, '-e', inject],
        ...fsyncIn(directory),
      ] as unknown as readonly [string, ...string[]];
      return judgeFsync(scratch, directory, slowed, 'fixed for the life of the process');
    },
  },
  {
    mechanism: 'prlimit on a process',
    backend: 'process',
    usedBy: [],
    fallback: 'ulimit in the shell that starts the member: fixed for its life',
    async run(scratch) {
      const directory = scratch.newDirectory('limits');
      const fill = insideCommand(process.execPath, 'work', ['fill', directory, '1']);
      // Waits for a line, so that the limit comes when it runs already.
      const child = scratch.start(['sh', '-c', 'read line; exec "$@"', 'sh', ...fill]);
      const printed = scratch.printedBy(child);
      printed.catch(() => undefined);
      const limit = ['prlimit', '--pid', String(child.pid), `--fsize=${FILE_BYTES_MAX}`] as const;
      const failure = await succeeds(scratch, limit);
      child.stdin?.end('go\n');
      if (failure !== undefined) {
        await printed.catch(() => undefined);
        return no(failure);
      }
      const { code, bytes } = await printed;
      const words = `a file ends at ${bytes} bytes with ${code}, ${FILE_BYTES_MAX} asked for`;
      return (code === 'EFBIG' && bytes === FILE_BYTES_MAX ? yes : no)(words);
    },
  },
];

/** Undefined, or why not. */
async function succeeds(
  scratch: ProcessScratch,
  command: readonly [string, ...string[]],
): Promise<string | undefined> {
  const child = scratch.start(command);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.on('error', (error) => resolve(error.message));
  child.on('close', (code) => resolve(code === 0 ? undefined : said.trim() || `exit ${code}`));
  const failure = await promise;
  await scratch.end(child.pid);
  return failure === undefined ? undefined : reasonOf(failure);
}

/** What this backend can do here, and what it runs on. */

import { execFile } from 'node:child_process';
import { release } from 'node:os';
import { promisify } from 'node:util';
import type { Result } from '../../../src/lib/result.ts';
import { PROXY_LINK_REPORTS } from '../../network/link-capabilities.ts';
import { type CapabilityReport, ClusterError, type Target } from '../cluster.ts';
import { diskReports } from '../disk-capabilities.ts';
import { simOnlyReports } from '../not-possible.ts';
import type { Unshare } from './programs.ts';

const execute = promisify(execFile);

export function capabilitiesWith(disk: Result<Unshare, string>): CapabilityReport[] {
  return [
    { capability: 'kill', available: true, detail: 'SIGKILL to the process group' },
    { capability: 'pause', available: true, detail: 'SIGSTOP to the process group' },
    {
      capability: 'partition',
      available: true,
      detail: 'TCP proxy per member: holds bytes, resets connections on heal',
    },
    ...diskReports(
      disk.ok,
      disk.ok ? `FUSE pass-through under ${disk.value.join(' ')}` : disk.error,
      'the files behind the disk, while the member is dead',
    ),
    ...PROXY_LINK_REPORTS,
    ...simOnlyReports('process'),
  ];
}

/** Throws {@link ClusterError} when the target cannot be run at all. */
export async function describeEnvironment(
  target: Target,
  disk: Result<Unshare, string>,
): Promise<readonly { readonly name: string; readonly value: string }[]> {
  return [
    { name: 'target', value: await targetVersion(target) },
    { name: 'node', value: process.version },
    { name: 'kernel', value: `${process.platform} ${release()}` },
    { name: 'peer links', value: 'TCP proxies on loopback' },
    { name: 'disk', value: disk.ok ? 'FUSE pass-through' : 'plain directory' },
  ];
}

async function targetVersion(target: Target): Promise<string> {
  if (target.kind === 'stormraft') return `stormraft at ${target.root}`;
  try {
    const { stdout } = await execute(target.path, ['--version']);
    return stdout.split('\n')[0]!;
  } catch (cause) {
    throw new ClusterError(`cannot run ${target.path}`, { cause });
  }
}

/** What this backend can do here, and what it runs on. */

import { release } from 'node:os';
import type { Result } from '../../../src/lib/result.ts';
import { sideReport } from '../../administration/side-member.ts';
import { PROXY_LINK_REPORTS } from '../../network/link-capabilities.ts';
import { etcdVersion } from '../../targets/etcd-version.ts';
import type { CapabilityReport, Target } from '../cluster.ts';
import { diskReports } from '../disk-capabilities.ts';
import { controlReports } from '../member-control.ts';
import { simOnlyReports } from '../not-possible.ts';
import type { Unshare } from './programs.ts';

export function capabilitiesWith(
  disk: Result<Unshare, string>,
  target: Target,
): CapabilityReport[] {
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
    ...controlReports(
      'SIGTERM to the server',
      { available: true, detail: 'the files of a dead member are in the run directory' },
      sideReport(target),
    ),
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
  return target.kind === 'etcd' ? etcdVersion(target.path) : `stormraft at ${target.root}`;
}

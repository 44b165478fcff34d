import { err, ok, type Result } from '../lib/result.ts';

/** One minor release below the cluster's is all that etcd lets it go back to. */
export function downgradeTarget(
  clusterVersion: string,
  wanted: string,
): Result<string, 'badDowngradeFormat' | 'badDowngradeVersion'> {
  const [major, minor] = clusterVersion.split('.').map(Number);
  const parsed = /^(\d+)\.(\d+)(?:\.\d+)?$/.exec(wanted);
  if (parsed === null) return err('badDowngradeFormat');
  const isBelow = Number(parsed[1]) === major && Number(parsed[2]) === (minor ?? 0) - 1;
  return isBelow ? ok(`${parsed[1]}.${parsed[2]}.0`) : err('badDowngradeVersion');
}

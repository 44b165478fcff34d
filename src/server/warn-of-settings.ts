import type { Log } from '../ports/log.ts';
import { localAddressOf } from './local-address.ts';
import type { Settings } from './settings.ts';

/** Says what an operator should not find out later. */
export function warnOfSettings(settings: Settings, log: Log): void {
  if (settings.unsafeNoFsync) {
    log.warn('UNSAFE: --unsafe-no-fsync: a crash of the machine loses acknowledged writes', {
      dataDir: settings.dataDir,
    });
  }
  const { featureGates, self } = settings;
  if (featureGates.SetMemberLocalAddr && localAddressOf(self.peerUrls) === undefined) {
    log.warn('no own peer URL names an address that peers could be dialled from', {
      peerUrls: self.peerUrls,
    });
  }
  for (const [name, reason] of settingsWithoutEffect(settings)) {
    log.warn('this setting has no effect here', { name, reason });
  }
}

/** Of those that etcd has, what somebody asked for in vain; with the reason. */
export function settingsWithoutEffect(
  settings: Settings,
): readonly (readonly [name: string, reason: string])[] {
  const { http, retention, downgradeCheckMs, featureGates } = settings;
  const asked: [isAsked: boolean, name: string, reason: string][] = [
    [http.pprof, 'enable-pprof', 'profiles of Go; start Node with --cpu-prof or --inspect'],
    [retention.snapshotsMax !== 5, 'max-snapshots', 'there is one checkpoint, snap/db'],
    [downgradeCheckMs !== 5_000, 'downgrade-check-time', 'no member changes what it writes'],
    [
      !featureGates.TxnModeWriteWithSharedBuffer,
      'feature-gates TxnModeWriteWithSharedBuffer',
      'there are no such buffers',
    ],
  ];
  return asked.filter(([isAsked]) => isAsked).map(([, name, reason]) => [name, reason] as const);
}

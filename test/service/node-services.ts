/** Services of a {@link FakeNode}, with parts that tests may look into. */
import { AuthGate } from '../../src/service/auth-gate.ts';
import { ClusterService } from '../../src/service/cluster.ts';
import { MaintenanceService } from '../../src/service/maintenance.ts';
import { Quota } from '../../src/service/quota.ts';
import { SnapshotExport } from '../../src/snap/snapshot-export.ts';
import { image } from '../snap/checkpoint-fixture.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import type { FakeNode } from './fake-node.ts';

export const NEW_MEMBER_ID = 0x77n;

export function clusterOf(node: FakeNode, isStrict = true): ClusterService {
  return new ClusterService(node, {
    gate: new AuthGate(node),
    isStrict,
    newMemberId: () => NEW_MEMBER_ID,
    askTimeoutMs: 7_000,
    handOverMs: 0,
    sleep: () => Promise.resolve(),
  });
}

export interface MaintenanceFakes {
  readonly quotaBytes?: number;
  /** Runs each time that long work lets others have their turn. */
  readonly onPause?: () => void;
  readonly onDefragment?: () => () => void;
  /** Runs while somebody sleeps. */
  readonly onSleep?: (delayMs: number) => void;
}

export function maintenanceOf(node: FakeNode, fakes: MaintenanceFakes = {}): MaintenanceService {
  return new MaintenanceService(node, {
    gate: new AuthGate(node),
    quota: new Quota(node, fakes.quotaBytes),
    snapshots: exportOf(new MemoryDisk()),
    newDigest: () => {
      let bytes = 0;
      return {
        update: (more) => {
          bytes += more.length;
        },
        sum: () => Uint8Array.of(bytes % 256),
      };
    },
    pause: async () => fakes.onPause?.(),
    onDefragment: fakes.onDefragment,
    sleep: async (delayMs) => fakes.onSleep?.(delayMs),
    transferTimeoutMs: 100,
  });
}

export function exportOf(disk: MemoryDisk): SnapshotExport {
  return new SnapshotExport({
    disk,
    directory: '/snap',
    image: () => ({ ...image([]), release: () => undefined }),
    pause: async () => undefined,
  });
}

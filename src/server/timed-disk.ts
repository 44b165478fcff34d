import type { Clock } from '../ports/clock.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';

/** The disk, with the time told that each sync of a file took. */
export function timedDisk(
  disk: Disk,
  clock: Pick<Clock, 'nowNs'>,
  onSync: (latencyNs: number) => void,
): Disk {
  return {
    open: async (path, mode) => timedFile(await disk.open(path, mode), clock, onSync),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    read: (path) => disk.read(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => disk.syncDirectory(path),
  };
}

function timedFile(
  file: DiskFile,
  clock: Pick<Clock, 'nowNs'>,
  onSync: (latencyNs: number) => void,
): DiskFile {
  return {
    size: () => file.size(),
    readAt: (offset, lengthBytes) => file.readAt(offset, lengthBytes),
    writeAt: (offset, bytes) => file.writeAt(offset, bytes),
    writeDurably: async (offset, bytes) => {
      const startNs = clock.nowNs();
      await file.writeDurably(offset, bytes);
      onSync(clock.nowNs() - startNs);
    },
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    datasync: async () => {
      const startNs = clock.nowNs();
      await file.datasync();
      onSync(clock.nowNs() - startNs);
    },
    close: () => file.close(),
  };
}

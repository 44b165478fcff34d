import type { Disk, DiskFile } from '../ports/disk.ts';

/**
 * --unsafe-no-fsync: the disk, but nothing is waited for until it is durable. What the process
 * wrote outlives the process; a crash of the machine may take any of it.
 */
export function unsyncedDisk(disk: Disk): Disk {
  return {
    open: async (path, mode) => unsyncedFile(await disk.open(path, mode)),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    read: (path) => disk.read(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: async () => undefined,
  };
}

function unsyncedFile(file: DiskFile): DiskFile {
  return {
    size: () => file.size(),
    readAt: (offset, lengthBytes) => file.readAt(offset, lengthBytes),
    writeAt: (offset, bytes) => file.writeAt(offset, bytes),
    writeDurably: (offset, bytes) => file.writeAt(offset, bytes),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    datasync: async () => undefined,
    close: () => file.close(),
  };
}

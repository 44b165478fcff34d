/**
 * The disk, as the server sees it. Every failure rejects with {@link DiskError}; a failed
 * `datasync` means that nothing written since the last successful one may be assumed durable,
 * so the caller stops the member rather than retry (the fsyncgate lesson).
 */
export interface Disk {
  /** Names in the directory, unsorted; rejects with code `ENOENT` if it does not exist. */
  list(path: string): Promise<string[]>;
  /** Creates the directory and its parents; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Opens for reading and writing. `create` makes the file and fails with `EEXIST` if it is there. */
  open(path: string, mode: 'create' | 'existing'): Promise<DiskFile>;
  /** The whole file; rejects with code `ENOENT` if it does not exist. */
  read(path: string): Promise<Uint8Array>;
  /** Atomic replacement; durable after `syncDirectory` of the parent. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** An open file. Calls on one file are made one at a time by its owner. */
export interface DiskFile {
  /** Size in bytes. */
  size(): Promise<number>;
  /** Up to `lengthBytes` from `offset`; shorter only at the end of the file. */
  readAt(offset: number, lengthBytes: number): Promise<Uint8Array>;
  /** Writes all of `bytes` at `offset`, extending the file if needed. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** {@link writeAt}, then {@link datasync}, and cheaper than the two. */
  writeDurably(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts or extends with zeros. */
  truncate(sizeBytes: number): Promise<void>;
  /** fdatasync: data and size are on the device when it resolves. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** A refused disk operation; `code` is the errno name (`EIO`, `ENOSPC`, `ENOENT`, …). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, cause?: unknown) {
    super(`${code}: ${path}`, { cause });
    this.code = code;
    this.path = path;
  }
}

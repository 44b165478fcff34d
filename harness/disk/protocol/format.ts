/**
 * The FUSE kernel protocol, as far as this disk speaks it (Linux, 7.23 and later).
 *
 * A mount is a conversation on one open of `/dev/fuse`. Every read(2) yields exactly one request
 * and every write(2) must carry exactly one whole reply. All integers are little-endian here
 * (the kernel uses the machine's order; Node's platforms with FUSE are little-endian).
 *
 * Request = header (40 bytes) + body:
 *
 *   0 len u32 | 4 opcode u32 | 8 unique u64 | 16 nodeid u64 | 24 uid u32 | 28 gid u32 | 32 pid u32
 *
 * Reply = header (16 bytes) + payload: `len u32 | error i32 (0 or -errno) | unique u64`. An error
 * reply has no payload. FORGET, BATCH_FORGET and INTERRUPT take no reply at all.
 *
 * Requests name a file by node id: 1 is the root, every other id was handed out by the disk in an
 * entry reply (LOOKUP, CREATE, MKDIR, SYMLINK, LINK). The kernel counts how often it was handed
 * each id and gives the count back with FORGET; until it is back to zero the id stays valid, even
 * when the file has no name any more. Names in bodies are bytes ended by a NUL.
 *
 * Bodies (offsets from the end of the header):
 *
 *   INIT          major u32, minor u32, max_readahead u32, flags u32
 *   LOOKUP UNLINK RMDIR  name
 *   FORGET        nlookup u64
 *   BATCH_FORGET  count u32, pad u32, count × (nodeid u64, nlookup u64)
 *   SETATTR       valid u32, pad, fh u64, size u64, lock_owner u64, atime mtime ctime u64,
 *                 atime mtime ctime ns u32, mode u32, pad, uid u32, gid u32
 *   SYMLINK       name, target           LINK    old nodeid u64, new name
 *   MKDIR         mode u32, umask u32, name
 *   RENAME        new dir u64, old name, new name
 *   RENAME2       new dir u64, flags u32, pad, old name, new name
 *   OPEN OPENDIR  flags u32              CREATE  flags u32, mode u32, umask u32, pad, name
 *   READ READDIR  fh u64, offset u64, size u32
 *   WRITE         fh u64, offset u64, size u32, write_flags u32, lock_owner u64, flags u32, pad,
 *                 then the data at 40
 *   RELEASE RELEASEDIR  fh u64           FSYNC FSYNCDIR  fh u64, flags u32 (bit 0: data only)
 *
 * Payloads:
 *
 *   attr (88)     ino, size, blocks, atime, mtime, ctime u64; atime, mtime, ctime ns, mode, nlink,
 *                 uid, gid, rdev, blksize, flags u32
 *   entry (128)   nodeid, generation, entry_valid, attr_valid u64; both ns u32; attr
 *   attr reply    attr_valid u64, ns u32, pad, attr
 *   open reply    fh u64, flags u32, pad          write reply   size u32, pad
 *   directory     records: ino u64, offset of the next u64, name length u32, type u32, name,
 *                 padded to 8
 */

export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  RENAME2: 45,
} as const;

export const ROOT_NODE_ID = 1;
export const REQUEST_HEADER_BYTES = 40;
export const REPLY_HEADER_BYTES = 16;
/** Header of a WRITE request before its data, after the request header. */
export const WRITE_BODY_BYTES = 40;

export const PROTOCOL_MAJOR = 7;
/** Oldest minor whose layouts (INIT reply of 64 bytes, RENAME2) are the ones used here. */
export const PROTOCOL_MINOR_MIN = 23;
/** Newest minor whose layouts were checked against these codecs. */
export const PROTOCOL_MINOR_MAX = 38;

/** INIT flags that the disk asks for when the kernel offers them. */
export const INIT_FLAG = {
  /** Several READs of one file may be under way. */
  ASYNC_READ: 0x1,
  /** WRITEs larger than a page. */
  BIG_WRITES: 0x20,
  /** Lookups in one directory need not wait for each other. */
  PARALLEL_DIROPS: 0x40000,
  /** `max_pages` of the INIT reply counts: requests above 128 KiB. */
  MAX_PAGES: 0x400000,
} as const;

/** SETATTR `valid` bits. */
export const SETATTR_VALID = {
  MODE: 0x1,
  UID: 0x2,
  GID: 0x4,
  SIZE: 0x8,
  ATIME: 0x10,
  MTIME: 0x20,
  FH: 0x40,
  ATIME_NOW: 0x80,
  MTIME_NOW: 0x100,
} as const;

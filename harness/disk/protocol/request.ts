/** Bytes of a FUSE request → value. Layouts are described in `format.ts`. */

import { OPCODE, REQUEST_HEADER_BYTES, SETATTR_VALID, WRITE_BODY_BYTES } from './format.ts';

export interface Forgotten {
  readonly nodeId: number;
  readonly lookups: number;
}

/** What SETATTR asks to change; absent fields stay as they are. Times in seconds. */
export interface AttributeChange {
  readonly fh?: number;
  readonly sizeBytes?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly accessTime?: number | 'now';
  readonly modifyTime?: number | 'now';
}

interface Rename {
  readonly newDirectory: number;
  readonly oldName: Buffer;
  readonly newName: Buffer;
  readonly flags: number;
}

export type RequestBody =
  | {
      readonly op: 'init';
      readonly major: number;
      readonly minor: number;
      readonly readaheadBytes: number;
      readonly flags: number;
    }
  | { readonly op: 'lookup' | 'unlink' | 'rmdir'; readonly name: Buffer }
  | { readonly op: 'forget'; readonly forgotten: readonly Forgotten[] }
  | { readonly op: 'getattr' | 'readlink' | 'statfs' | 'interrupt' | 'destroy' }
  | { readonly op: 'setattr'; readonly change: AttributeChange }
  | { readonly op: 'symlink'; readonly name: Buffer; readonly target: Buffer }
  | { readonly op: 'link'; readonly existing: number; readonly name: Buffer }
  | { readonly op: 'mkdir'; readonly mode: number; readonly name: Buffer }
  | ({ readonly op: 'rename' } & Rename)
  | { readonly op: 'open'; readonly flags: number }
  | {
      readonly op: 'create';
      readonly flags: number;
      readonly mode: number;
      readonly name: Buffer;
    }
  | {
      readonly op: 'read' | 'readdir';
      readonly fh: number;
      readonly offset: number;
      readonly sizeBytes: number;
    }
  | {
      readonly op: 'write';
      readonly fh: number;
      readonly offset: number;
      /** A view of the read buffer: gone when the next request is read into it. */
      readonly data: Buffer;
    }
  | { readonly op: 'opendir' }
  | { readonly op: 'release' | 'releasedir'; readonly fh: number }
  | { readonly op: 'fsync' | 'fsyncdir'; readonly fh: number; readonly dataOnly: boolean }
  | { readonly op: 'unsupported'; readonly opcode: number };

export interface Request {
  readonly unique: bigint;
  readonly nodeId: number;
  readonly body: RequestBody;
}

/**
 * Decodes one request: all the bytes of one read of the device. Names and times are copied or
 * read out; only the data of a WRITE stays a view. An unknown opcode is `unsupported`.
 */
export function decodeRequest(bytes: Buffer): Request {
  const nodeId = u64(bytes, 16);
  const body = bytes.subarray(REQUEST_HEADER_BYTES);
  return {
    unique: bytes.readBigUInt64LE(8),
    nodeId,
    body: decodeBody(bytes.readUInt32LE(4), nodeId, body),
  };
}

function decodeBody(opcode: number, nodeId: number, body: Buffer): RequestBody {
  switch (opcode) {
    case OPCODE.LOOKUP:
      return { op: 'lookup', name: nameAt(body, 0) };
    case OPCODE.FORGET:
      return { op: 'forget', forgotten: [{ nodeId, lookups: u64(body, 0) }] };
    case OPCODE.BATCH_FORGET:
      return { op: 'forget', forgotten: decodeForgets(body) };
    case OPCODE.GETATTR:
      return { op: 'getattr' };
    case OPCODE.SETATTR:
      return { op: 'setattr', change: decodeAttributeChange(body) };
    case OPCODE.READLINK:
      return { op: 'readlink' };
    case OPCODE.SYMLINK:
      return decodeSymlink(body);
    case OPCODE.MKDIR:
      return { op: 'mkdir', mode: body.readUInt32LE(0), name: nameAt(body, 8) };
    case OPCODE.UNLINK:
      return { op: 'unlink', name: nameAt(body, 0) };
    case OPCODE.RMDIR:
      return { op: 'rmdir', name: nameAt(body, 0) };
    case OPCODE.RENAME:
      return decodeRename(body, 8, 0);
    case OPCODE.RENAME2:
      return decodeRename(body, 16, body.readUInt32LE(8));
    case OPCODE.LINK:
      return { op: 'link', existing: u64(body, 0), name: nameAt(body, 8) };
    case OPCODE.OPEN:
      return { op: 'open', flags: body.readUInt32LE(0) };
    case OPCODE.STATFS:
      return { op: 'statfs' };
    case OPCODE.OPENDIR:
      return { op: 'opendir' };
    case OPCODE.CREATE:
      return decodeCreate(body);
    case OPCODE.INTERRUPT:
      return { op: 'interrupt' };
    case OPCODE.DESTROY:
      return { op: 'destroy' };
    case OPCODE.INIT:
      return decodeInit(body);
    default:
      return decodeHandleBody(opcode, body);
  }
}

/** The requests whose body starts with a file handle. */
function decodeHandleBody(opcode: number, body: Buffer): RequestBody {
  switch (opcode) {
    case OPCODE.READ:
      return { op: 'read', ...decodeRange(body) };
    case OPCODE.READDIR:
      return { op: 'readdir', ...decodeRange(body) };
    case OPCODE.WRITE:
      return decodeWrite(body);
    case OPCODE.RELEASE:
      return { op: 'release', fh: u64(body, 0) };
    case OPCODE.RELEASEDIR:
      return { op: 'releasedir', fh: u64(body, 0) };
    case OPCODE.FSYNC:
      return { op: 'fsync', fh: u64(body, 0), dataOnly: (body.readUInt32LE(8) & 1) !== 0 };
    case OPCODE.FSYNCDIR:
      return { op: 'fsyncdir', fh: u64(body, 0), dataOnly: (body.readUInt32LE(8) & 1) !== 0 };
    default:
      return { op: 'unsupported', opcode };
  }
}

function decodeInit(body: Buffer): RequestBody {
  return {
    op: 'init',
    major: body.readUInt32LE(0),
    minor: body.readUInt32LE(4),
    readaheadBytes: body.readUInt32LE(8),
    flags: body.readUInt32LE(12),
  };
}

function decodeForgets(body: Buffer): Forgotten[] {
  const forgotten: Forgotten[] = [];
  for (let i = 0; i < body.readUInt32LE(0); i++) {
    forgotten.push({ nodeId: u64(body, 8 + 16 * i), lookups: u64(body, 16 + 16 * i) });
  }
  return forgotten;
}

function decodeAttributeChange(body: Buffer): AttributeChange {
  const valid = body.readUInt32LE(0);
  const has = (bit: number): boolean => (valid & bit) !== 0;
  const time = (
    set: number,
    now: number,
    secondsAt: number,
    nsAt: number,
  ): number | 'now' | undefined => {
    if (has(now)) return 'now';
    if (!has(set)) return undefined;
    return Number(body.readBigInt64LE(secondsAt)) + body.readUInt32LE(nsAt) / 1e9;
  };
  return {
    fh: has(SETATTR_VALID.FH) ? u64(body, 8) : undefined,
    sizeBytes: has(SETATTR_VALID.SIZE) ? u64(body, 16) : undefined,
    accessTime: time(SETATTR_VALID.ATIME, SETATTR_VALID.ATIME_NOW, 32, 56),
    modifyTime: time(SETATTR_VALID.MTIME, SETATTR_VALID.MTIME_NOW, 40, 60),
    mode: has(SETATTR_VALID.MODE) ? body.readUInt32LE(68) : undefined,
    uid: has(SETATTR_VALID.UID) ? body.readUInt32LE(76) : undefined,
    gid: has(SETATTR_VALID.GID) ? body.readUInt32LE(80) : undefined,
  };
}

function decodeSymlink(body: Buffer): RequestBody {
  const name = nameAt(body, 0);
  return { op: 'symlink', name, target: nameAt(body, name.length + 1) };
}

function decodeRename(body: Buffer, namesAt: number, flags: number): RequestBody {
  const oldName = nameAt(body, namesAt);
  const newName = nameAt(body, namesAt + oldName.length + 1);
  return { op: 'rename', newDirectory: u64(body, 0), oldName, newName, flags };
}

function decodeCreate(body: Buffer): RequestBody {
  return {
    op: 'create',
    flags: body.readUInt32LE(0),
    mode: body.readUInt32LE(4),
    name: nameAt(body, 16),
  };
}

function decodeRange(body: Buffer): { fh: number; offset: number; sizeBytes: number } {
  return { fh: u64(body, 0), offset: u64(body, 8), sizeBytes: body.readUInt32LE(16) };
}

function decodeWrite(body: Buffer): RequestBody {
  return {
    op: 'write',
    fh: u64(body, 0),
    offset: u64(body, 8),
    data: body.subarray(WRITE_BODY_BYTES, WRITE_BODY_BYTES + body.readUInt32LE(16)),
  };
}

/** Ids and handles are small numbers of our own making, and file offsets stay below 2^53. */
function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

/** A copy: names outlive the read buffer. */
function nameAt(body: Buffer, at: number): Buffer {
  return Buffer.from(body.subarray(at, body.indexOf(0, at)));
}

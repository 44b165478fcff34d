/** A member's data directory in the hands of a test: compared, copied, damaged, made foreign. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { BUCKET_NAMES, bucketItems } from '../../src/snap/bucket-content.ts';
import type { CheckpointImage } from '../../src/snap/checkpoint-image.ts';
import { BUCKET_FLAG } from '../../src/snap/page.ts';
import { PageSink } from '../../src/snap/page-sink.ts';
import { encodeBucketHeader, TreeBuilder } from '../../src/snap/tree-builder.ts';
import { FrameWriter, RECORD_TYPE, type RecordType, readFrame } from '../../src/wal/frame.ts';

/** Changes with any name or byte below the directory; also says that there is none. */
export function fingerprint(directory: string): string {
  if (!existsSync(directory)) return 'nothing there';
  const hash = createHash('sha256');
  const paths = statSync(directory).isFile()
    ? ['']
    : readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  for (const path of paths) {
    hash.update(`${path}\0`);
    const file = join(directory, path);
    if (statSync(file).isFile()) hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

export function checkpointPath(dataDir: string): string {
  return join(dataDir, 'member/snap/db');
}

/** The newest segment of the log. */
export function segmentPath(dataDir: string): string {
  const directory = join(dataDir, 'member/wal');
  return join(
    directory,
    readdirSync(directory)
      .filter((name) => name.endsWith('.wal'))
      .sort()
      .at(-1)!,
  );
}

/** Changes one bit of the file; `offsetOf` sees what was written, without the zeros behind. */
export function flipBit(path: string, offsetOf: (written: Buffer) => number): void {
  const bytes = readFileSync(path);
  const offset = offsetOf(bytes.subarray(0, endOfWritten(bytes)));
  bytes[offset] = bytes[offset]! ^ 0x10;
  writeFileSync(path, bytes);
}

/** As when a crash cut the last write short: its last bytes are zeros. */
export function tearLastWrite(dataDir: string): void {
  const path = segmentPath(dataDir);
  const segment = readFileSync(path);
  const { offset, crc } = endOfFrames(segment);
  const writer = new FrameWriter(crc);
  writer.add(RECORD_TYPE.entry, new Uint8Array(600).fill(7));
  segment.set(writer.bytes().subarray(0, 100), offset);
  writeFileSync(path, segment);
}

/** Appends a record that is intact, and of a type that this program does not know. */
export function appendUnknownRecord(dataDir: string): void {
  const unknownType: number = 9;
  const path = segmentPath(dataDir);
  const segment = readFileSync(path);
  const { offset, crc } = endOfFrames(segment);
  const writer = new FrameWriter(crc);
  writer.add(unknownType as RecordType, utf8Encode('from the future'));
  segment.set(writer.bytes(), offset);
  writeFileSync(path, segment);
}

function endOfFrames(segment: Uint8Array): { readonly offset: number; readonly crc: number } {
  let [offset, crc] = [0, 0];
  for (;;) {
    const frame = readFrame(segment, offset);
    if (frame.type !== 'record') return { offset, crc };
    crc = frame.record.crc;
    offset = frame.nextOffset;
  }
}

function endOfWritten(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** A checkpoint as a program with leases leaves it: the `lease` bucket has content. */
export async function writeCheckpointWithLease(
  dataDir: string,
  image: CheckpointImage,
): Promise<void> {
  rmSync(checkpointPath(dataDir));
  const file = await new NodeDisk().open(checkpointPath(dataDir), 'create');
  const sink = new PageSink(file);
  const top = new TreeBuilder(sink);
  for (const name of BUCKET_NAMES) {
    const bucket = new TreeBuilder(sink);
    for (const [key, value] of bucketItems(name, image)) bucket.add(key, value);
    if (name === 'lease') bucket.add(new Uint8Array(8), utf8Encode('a lease'));
    top.add(utf8Encode(name), encodeBucketHeader(bucket.finish()), BUCKET_FLAG);
  }
  await sink.finish(top.finish());
  await file.close();
}

/** Which bytes of a log to damage, and how, so that a sound server must notice. */

import { assertNever } from '../../src/lib/assert.ts';
import { equalBytes } from '../../src/lib/bytes.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawOne } from '../draw.ts';
import { SECTOR_BYTES } from './undo/undo-file.ts';

export interface LogSegment {
  readonly name: string;
  readonly content: Uint8Array;
}

/** What to write where. */
export interface Damage {
  readonly name: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** What that is, for people. */
  readonly words: string;
}

/**
 * One bit of a segment flips, or a sector of it is written over another one of the same segment,
 * as by a disk whose head was in the wrong place. Only the part before the last byte that is not
 * zero is hit: zeros behind it hold nothing. Undefined if there is nothing to damage.
 */
export function chooseDamage(
  log: readonly LogSegment[],
  how: 'bit-rot' | 'misdirected-write',
  random: Random,
): Damage | undefined {
  const segments = log.map(segmentOf).filter((segment) => segment.written.length > 0);
  switch (how) {
    case 'bit-rot':
      return segments.length === 0 ? undefined : flipBit(drawOne(random, segments), random);
    case 'misdirected-write':
      return writeAstray(segments, random);
    default:
      return assertNever(how);
  }
}

interface Segment extends LogSegment {
  /** Its content up to the last byte that is not zero. */
  readonly written: Uint8Array;
}

function segmentOf({ name, content }: LogSegment): Segment {
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return { name, content, written: content.subarray(0, end) };
}

function flipBit({ name, written }: Segment, random: Random): Damage {
  const at = random.below(written.length);
  const bit = drawOne(random, bitsToFlip(written[at]!));
  const bytes = Uint8Array.of(written[at]! ^ (1 << bit));
  return { name, offset: at, bytes, words: `bit ${bit} of byte ${at} of ${name}` };
}

/**
 * None that leaves a byte of zero: at the end of the log that looks like a write that a crash
 * cut short, and no log without a mark of its own end can tell the two apart.
 */
function bitsToFlip(byte: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte ^ (1 << bit)) !== 0);
}

function writeAstray(segments: readonly Segment[], random: Random): Damage | undefined {
  const candidates = segments
    .map((segment) => ({ segment, sectors: sectorsOf(segment.written) }))
    .filter(({ sectors }) => targetsIn(sectors).some(unlikeSome(sectors)));
  if (candidates.length === 0) return undefined;
  const { segment, sectors } = drawOne(random, candidates);
  // A sector of zeros over another is what a crash leaves, not what a stray write does.
  const sources = sectors.filter((sector) => sector.bytes.some((byte) => byte !== 0));
  const target = drawOne(random, targetsIn(sectors).filter(unlikeSome(sources)));
  const source = drawOne(random, differing(sources, target));
  const offset = target.index * SECTOR_BYTES;
  const { name, content } = segment;
  const words = `sector ${source.index} written over sector ${target.index} of ${name}`;
  return { name, offset, bytes: source.bytes.subarray(0, content.length - offset), words };
}

/**
 * Not the last ones: the beginning of a record over the end of the log looks like a write that a
 * crash cut short, and, again, no log without a mark of its own end can tell the two apart.
 */
function targetsIn(sectors: readonly Sector[]): readonly Sector[] {
  return sectors.slice(0, -TAIL_SECTORS);
}

/** More than a record of most clients takes. */
const TAIL_SECTORS = 4;

interface Sector {
  readonly index: number;
  /** Whole: zeros fill up the last one. */
  readonly bytes: Uint8Array;
}

function sectorsOf(written: Uint8Array): Sector[] {
  return Array.from({ length: Math.ceil(written.length / SECTOR_BYTES) }, (_, index) => {
    const bytes = new Uint8Array(SECTOR_BYTES);
    bytes.set(written.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES));
    return { index, bytes };
  });
}

/**
 * Whether one of `sectors` differs from the given one. A log has a hundred thousand: each is
 * compared with the first alone, which is enough once any two differ.
 */
function unlikeSome(sectors: readonly Sector[]): (sector: Sector) => boolean {
  const [first] = sectors;
  if (first === undefined) return () => false;
  const areAlike = differing(sectors, first).length === 0;
  return (sector) => !areAlike || !equalBytes(sector.bytes, first.bytes);
}

function differing(sectors: readonly Sector[], from: Sector): Sector[] {
  return sectors.filter((sector) => !equalBytes(sector.bytes, from.bytes));
}

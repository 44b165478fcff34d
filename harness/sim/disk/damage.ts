import type { Random } from '../../../src/ports/random.ts';
import { chooseDamage } from '../../disk/choose-damage.ts';
import type { Device } from './device.ts';

/**
 * Damages what the log directory of a dead node durably holds: one bit of a segment flips, or
 * a sector of it is written over another one of the same segment, as by a disk whose head was
 * in the wrong place. Only the written part is hit: zeros behind it hold nothing.
 *
 * Says in words what was damaged; undefined if there is nothing to damage.
 */
export function damage(
  device: Device,
  how: 'bit-rot' | 'misdirected-write',
  directory: string,
  random: Random,
): string | undefined {
  const files = device
    .durableFiles(directory)
    .filter(({ name }) => name.endsWith(SEGMENT_SUFFIX))
    .map(({ name, file }) => ({ name, file, content: file.durable() }));
  const chosen = chooseDamage(files, how, random);
  if (chosen === undefined) return undefined;
  const { file } = files.find(({ name }) => name === chosen.name)!;
  file.damage(chosen.offset, chosen.bytes);
  return chosen.words;
}

const SEGMENT_SUFFIX = '.wal';

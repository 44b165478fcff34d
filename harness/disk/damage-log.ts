/** Damage at rest: of the log that a dead member has left in its backing directory. */

import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/ports/random.ts';
import { chooseDamage } from './choose-damage.ts';

/** Of Stormraft's and of etcd's segments; etcd's spare ones end in `.tmp`. */
const SEGMENT_SUFFIX = '.wal';

/** Says in words what was damaged; undefined if there is nothing to damage. */
export function damageLog(
  backing: string,
  how: 'bit-rot' | 'misdirected-write',
  random: Random,
): string | undefined {
  const names = readdirSync(backing, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(SEGMENT_SUFFIX))
    .sort();
  const log = names.map((name) => ({ name, content: readFileSync(join(backing, name)) }));
  const chosen = chooseDamage(log, how, random);
  if (chosen === undefined) return undefined;
  const fd = openSync(join(backing, chosen.name), 'r+');
  try {
    writeSync(fd, chosen.bytes, 0, chosen.bytes.length, chosen.offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return chosen.words;
}

/** One campaign at a time in a directory: two would do the same cells, and mix their lines. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../src/lib/assert.ts';
import { identify, isAlive, type ProcessIdentity } from '../cluster/process/process-table.ts';
import { StormError } from '../exit-code.ts';

const LOCK_FILE = 'campaign.lock';

/**
 * Held until disposed of; that of a dead process is taken over. Throws {@link StormError} when a
 * living one holds it. It does not see processes of other machines.
 */
export function lockDirectory(directory: string): Disposable {
  const path = join(directory, LOCK_FILE);
  const self = identify(process.pid);
  assert(self !== undefined, 'this process runs');
  const holder = readHolder(path);
  if (holder !== undefined && isAlive(holder)) {
    throw new StormError(
      `--runs-dir ${directory}: process ${holder.pid} runs a campaign there; give another`,
    );
  }
  rmSync(path, { force: true });
  try {
    writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`--runs-dir ${directory}: ${reason}; try again`, { cause });
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    // Absent, or its writer died in the middle.
    return undefined;
  }
}

/**
 * The disk against the native file system: the same random operations in two directories, one on
 * the disk and one plain, must have the same outcomes; the trees are compared now and then, and
 * with them what lies behind the disk.
 *
 *   node test/disk/fsx.ts [--ops N] [--seed N] [--check-every N]
 *
 * Prints progress, operations per second on both and their ratio. Exit code 1 at the first
 * difference, with the operation; 4 where no disk can be mounted.
 */

import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { compareDirectories } from './fsx-run.ts';
import { launchDisk, noDisk } from './launch.ts';

const { values } = parseArgs({
  options: {
    ops: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    'check-every': { type: 'string', default: '5000' },
    inside: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

process.exitCode = await (values.inside ? inside() : outside());

/** Mounts the disk and starts this program on it. */
async function outside(): Promise<number> {
  if (noDisk !== undefined) {
    process.stderr.write(`no disk can be mounted here: ${noDisk}\n`);
    return 4;
  }
  const command = [process.execPath, import.meta.filename, '--inside', 'MOUNT', 'OTHER', 'BACKING'];
  const limits = [`--ops=${values.ops}`, `--seed=${values.seed}`];
  const launched = launchDisk(
    [...command, ...limits, `--check-every=${values['check-every']}`],
    ['--state=STATE'],
  );
  launched.child.stdout?.on('data', (text: Buffer) => process.stdout.write(text));
  launched.child.stderr?.on('data', (text: Buffer) => process.stderr.write(text));
  try {
    return (await launched.ended).code ?? 1;
  } finally {
    await killGroup(launched.child.pid!);
    rmSync(launched.directory, { recursive: true });
  }
}

function inside(): number {
  const [disk, plain, backing] = process.argv.slice(process.argv.indexOf('--inside') + 1);
  const result = compareDirectories(
    { disk: disk!, plain: plain!, backing: backing! },
    {
      operations: Number(values.ops),
      seed: Number(values.seed),
      checkEvery: Number(values['check-every']),
      onProgress: (line) => process.stdout.write(`${line}\n`),
    },
  );
  if (result.difference === undefined) return 0;
  process.stdout.write(`DIFFERENT: ${result.difference}\n`);
  return 1;
}

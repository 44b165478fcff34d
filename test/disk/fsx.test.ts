/** A short run of `fsx.ts`; the long ones are made by hand. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { launchDisk, noDisk } from './launch.ts';

test.skipIf(noDisk !== undefined)(
  `random operations on the disk and on a plain directory are equal ${noDisk ?? ''}`,
  async () => {
    const fsx = join(import.meta.dirname, 'fsx.ts');
    const inside = [process.execPath, fsx, '--inside', 'MOUNT', 'OTHER', 'BACKING'];
    const limits = ['--ops=4000', '--seed=20', '--check-every=1000'];
    const disk = launchDisk([...inside, ...limits], ['--state=STATE']);
    try {
      const { code, output } = await disk.ended;
      expect(output).toMatch(
        /^equal: 4000 operations \((1\d|2\d)\d\d not refused\); 4 comparisons/,
      );
      expect(code).toBe(0);
    } finally {
      await killGroup(disk.child.pid!);
      rmSync(disk.directory, { recursive: true });
    }
  },
);

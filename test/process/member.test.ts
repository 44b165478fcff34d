/** One member whose disk is stood in for: needs neither FUSE nor a server. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Member } from '../../harness/cluster/process/member.ts';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { Registration } from '../../harness/cluster/process/registry.ts';

test('a resume whose order the disk refused is made good by the next', async () => {
  const runId = `member-test-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), `${runId}-`));
  const disk = join(import.meta.dirname, 'refusing-disk.ts');
  const unshare = join(directory, 'unshare');
  writeFileSync(unshare, `#!/bin/sh\nexec '${process.execPath}' '${disk}' "$@"\n`);
  chmodSync(unshare, 0o700);
  const [controlPort] = await choosePorts(1, runId);
  const registration = new Registration(runId, directory);
  const member = new Member({
    name: 'n1',
    command: ['true'],
    disk: { kind: 'fuse', unshare: ['unshare'], controlPort: controlPort!, state: directory },
    mount: join(directory, 'mnt'),
    backing: join(directory, 'data'),
    logPath: join(directory, 'n1.log'),
    environment: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
    registration,
  });
  try {
    await member.start();
    member.pause();
    await member.setFsyncDelay(20);
    await expect(member.resume()).rejects.toThrow('disk control: 500');
    expect(await member.diskCounter()).toMatchObject({ delayedMeanMs: 0 });
    await member.resume();
    expect(await member.diskCounter()).toMatchObject({ delayedMeanMs: 20 });
  } finally {
    await member.kill();
    registration.close();
    rmSync(directory, { recursive: true });
  }
});

/** What the disk costs when it has no fault: synced appends through it against those beside it. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { launchDisk, noDisk } from '../disk/launch.ts';
import type { Compared } from '../disk/time-syncs.ts';
import { labConfig } from './fault-rows.ts';

const SYNCS = 200;

/** Undefined where no disk can be mounted. */
export async function measureIdleDisk(
  backend: 'process' | 'docker',
): Promise<Compared | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'storm-idle-disk-'));
  try {
    if (backend === 'docker') return await inContainer(directory);
    if (noDisk !== undefined) return undefined;
    const disk = launchDisk(nodeCommand('OTHER', 'MOUNT'), [], join(directory, 'disk'));
    const { output } = await disk.ended;
    await killGroup(disk.child.pid!);
    return parse(output);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function inContainer(directory: string): Promise<Compared | undefined> {
  const runId = `idle-disk-${process.pid}`;
  await using cluster = await openDockerCluster({ ...labConfig(directory, runId), memberCount: 1 });
  const disk = cluster.capabilities.find(({ capability }) => capability === 'slow-disk');
  if (disk?.available !== true) return undefined;
  const [, ...options] = nodeCommand('/backing', '/data');
  const command = ['exec', `storm-${runId}-n1`, 'node', ...options];
  return parse((await promisify(execFile)('docker', command)).stdout);
}

/** As text, because the image of the members has no tests. */
function nodeCommand(native: string, mounted: string): readonly string[] {
  const file = join(import.meta.dirname, '../disk/time-syncs.ts');
  const source = stripTypeScriptTypes(readFileSync(file, 'utf8'));
  const call = `compareSyncs('${native}', '${mounted}', ${SYNCS})`;
  const script = `${source}\nprocess.stdout.write(JSON.stringify(${call}));`;
  return [process.execPath, '--input-type=module', '-e', script];
}

function parse(output: string): Compared {
  const [json] = /\{"nativeP50Ms".*\}/.exec(output) ?? [];
  if (json === undefined) throw new Error(`no figures: ${output}`);
  return JSON.parse(json) as Compared;
}

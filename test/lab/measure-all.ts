/**
 * The whole table of docs/faults.md, measured: every kind of fault with what it did and how long it
 * took to come and go, values asked for against values measured, and what the mechanisms cost while
 * there is no fault. Eight minutes at most; run it on a quiet machine.
 *
 *   node test/lab/measure-all.ts process|docker [mechanisms|faults] > table.md
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKENDS, sweepAll } from '../../harness/backends.ts';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { FUSE_CAPABILITIES } from '../../harness/doctor/probe.ts';
import type { FaultKind } from '../../harness/nemesis/fault.ts';
import { FAULT_PACKAGES } from '../../harness/nemesis/packages.ts';
import { measureBarePuts, measureIdle, measureQuality } from '../network/measure-links.ts';
import { openDockerLink, openProcessLink } from '../network/measured-link.ts';
import { type FaultRow, labConfig, measureFaults } from './fault-rows.ts';
import { measureIdleDisk } from './idle-disk.ts';

const LIMIT_MS = 480_000;
/** To end the step that is on the way, and to clean up. */
const RESERVE_MS = 60_000;

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function print(...cells: readonly string[]): void {
  process.stdout.write(`| ${cells.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |\n`);
}

function head(title: string, ...cells: readonly string[]): void {
  process.stdout.write(`\n${title}\n\n`);
  print(...cells);
  print(...cells.map(() => '---'));
}

/** Throughput with a mechanism in the path that does nothing, of that without it. */
interface IdleRatios {
  links?: number;
  disk?: number;
}

async function measureMechanisms(
  backend: 'process' | 'docker',
  directory: string,
): Promise<IdleRatios> {
  const ratios: IdleRatios = {};
  head('Values, and what mechanisms cost while idle', 'backend', 'injected', 'measured');
  await attempt('links', async () => {
    await using link = await (backend === 'docker' ? openDockerLink() : openProcessLink());
    await measureQuality(link);
    await measureIdle(link);
  });
  if (backend === 'process') {
    await attempt('puts', async () => {
      ratios.links = await measureBarePuts(labConfig(directory, `bare-${process.pid}`));
    });
  }
  await attempt('disk', async () => {
    const compared = await measureIdleDisk(backend);
    if (compared === undefined) return print(backend, 'idle: disk', 'none can be mounted here');
    const { nativeP50Ms, mountedP50Ms, ratio } = compared;
    ratios.disk = ratio;
    const words = `p50 ${nativeP50Ms.toFixed(2)} ms without, ${mountedP50Ms.toFixed(2)} ms with`;
    return print(backend, 'idle: fsync', `${words}: ${ratio.toFixed(2)} x the throughput`);
  });
  return ratios;
}

/** With docker nothing is in the path of links that are good. */
function idleOf(kind: FaultKind, { links, disk }: IdleRatios): string {
  const { family, needs } = FAULT_PACKAGES[kind];
  const isOfLinks = family === 'network' || family === 'links';
  const ratio = isOfLinks ? links : FUSE_CAPABILITIES.includes(needs) ? disk : undefined;
  return ratio === undefined ? '-' : ratio.toFixed(2);
}

/** A part that fails is told, and the others go on. */
async function attempt(part: string, work: () => Promise<void>): Promise<void> {
  tell(part);
  await work().catch((error: unknown) => {
    print(part, '-', `failed: ${String(error).replaceAll(/\s+/g, ' ')}`);
  });
}

function printFaults(rows: readonly FaultRow[], ratios: IdleRatios): void {
  head('Every kind', 'kind', 'asked', 'measured', 'inject ms', 'heal ms', 'idle', 'tries');
  for (const { kind, asked, measured, injectMs, healMs, tries } of rows) {
    const times = [injectMs, healMs].map((ms) => (Number.isNaN(ms) ? '-' : ms.toFixed(1)));
    print(`\`${kind}\``, asked, measured, ...times, idleOf(kind, ratios), String(tries));
  }
}

async function main(): Promise<void> {
  const startMs = performance.now();
  const [backend, part] = process.argv.slice(2);
  if (backend !== 'process' && backend !== 'docker') {
    tell('usage: node test/lab/measure-all.ts process|docker [mechanisms|faults] > table.md');
    process.exitCode = 3;
    return;
  }
  const swept = await sweepAll(BACKENDS);
  if (swept !== '') tell(`sweep: removed ${swept} of dead runs`);
  const directory = mkdtempSync(join(tmpdir(), 'storm-lab-'));
  try {
    const ratios = part === 'faults' ? {} : await measureMechanisms(backend, directory);
    if (part === 'mechanisms') return;
    const faults = await measureFaults({
      open: backend === 'docker' ? openDockerCluster : openProcessCluster,
      directory,
      endMs: startMs + LIMIT_MS - RESERVE_MS,
      onProgress: tell,
    });
    printFaults(faults, ratios);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
// A step that hung may have left timers behind.
process.exit();

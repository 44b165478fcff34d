/**
 * How long a cut takes to come and to go: nft against iptables, in turns, in one container. Not a
 * test: run it by hand.
 *
 *   node test/docker/measure-cuts.ts
 */

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { connectDaemon } from '../../harness/cluster/docker/daemon.ts';
import { ensureImage } from '../../harness/cluster/docker/image.ts';

const ROUNDS = 40;

/** Runs beside the agent's own files. Each change is two readings and a write, as in a run. */
const SCRIPT = `
  const { openIptablesCuts, openNftCuts } =
    await import('/opt/storm/tools/harness/cluster/docker/agent/cuts.ts');
  const kinds = { nft: await openNftCuts(), iptables: await openIptablesCuts('') };
  const times = {};
  const timed = async (name, work) => {
    const startMs = performance.now();
    await work();
    (times[name] ??= []).push(performance.now() - startMs);
  };
  for (let round = 0; round < ${ROUNDS}; round++) {
    for (const [name, cuts] of Object.entries(kinds)) {
      await timed(name + ', inject', () => cuts.replace(['192.0.2.7', '192.0.2.8']));
      await timed(name + ', read counters', () => cuts.counts());
      await timed(name + ', heal', () => cuts.replace([]));
    }
  }
  console.log(JSON.stringify(times));
  process.exit();
`;

const { docker } = await connectDaemon();
const root = resolve(import.meta.dirname, '../..');
const image = await ensureImage(docker, { kind: 'stormraft', root }, () => undefined);
const run = ['run', '--rm', '--cap-add', 'NET_ADMIN', image.name, 'node', '--input-type=module'];
const { stdout } = await promisify(execFile)('docker', [...run, '-e', SCRIPT]);
process.stdout.write('| change | p50 ms | p95 ms |\n| --- | --- | --- |\n');
for (const [name, times] of Object.entries(JSON.parse(stdout) as Record<string, number[]>)) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1);
  process.stdout.write(`| ${name} | ${at(0.5)} | ${at(0.95)} |\n`);
}

/**
 * What links do, measured from outside: injected value against effect, the idle cost of what is in
 * the path, and how long faults take to come and go. Not a test: run it by hand on a quiet machine.
 *
 *   node test/network/measure-links.ts [process|docker [links|puts|times]]
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterConfig } from '../../harness/cluster/cluster.ts';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';
import { linksAmong } from '../../harness/network/link-settings.ts';
import { tallySince } from '../../harness/network/link-tally.ts';
import { openBareCluster } from './bare-cluster.ts';
import { quantile } from './echo-pair.ts';
import { type MeasuredLink, openDockerLink, openProcessLink } from './measured-link.ts';

const ROUND_TRIPS = 150;
/** Every lost segment costs a fifth of a second and more. */
const LOSSY_ROUND_TRIPS = 300;
/** In the path, and as good as unshaped. */
const WIDE: LinkQuality = { ...GOOD_LINKS, rateBytesPerS: 1e10 };
const MEGABYTE = 1_000_000;
const PUT_SECONDS = 4;
const TIMES = 5;

function print(...cells: readonly (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

export async function measureQuality(link: MeasuredLink): Promise<void> {
  const good = await link.probe(ROUND_TRIPS, 0, 'proxied');
  const goodMs = quantile(good.rttsMs, 0.5);
  for (const [delayMs, jitterMs] of [
    [10, 0],
    [50, 0],
    [150, 0],
    [50, 20],
  ] as const) {
    await link.setQuality({ ...GOOD_LINKS, delayMs, jitterMs, distribution: 'normal' });
    const { rttsMs } = await link.probe(ROUND_TRIPS, 0, 'proxied');
    const mean = rttsMs.reduce((sum, each) => sum + each, 0) / rttsMs.length - goodMs;
    const spread = Math.sqrt(
      rttsMs.reduce((sum, each) => sum + (each - goodMs - mean) ** 2, 0) / rttsMs.length,
    );
    const measured = `p50 ${ms(quantile(rttsMs, 0.5) - goodMs)}, mean ${ms(mean)} ± ${ms(spread)}`;
    print(link.name, `${delayMs} ms ± ${jitterMs} ms (normal)`, `round trip + ${measured}`);
  }
  for (const lossPercent of [1, 10]) {
    await link.setQuality({ ...GOOD_LINKS, lossPercent });
    const before = await link.tally();
    const { rttsMs } = await link.probe(LOSSY_ROUND_TRIPS, 0, 'proxied');
    const { carried, lost } = tallySince(before, await link.tally());
    const late = rttsMs.filter((each) => each > goodMs + 100).length;
    const share = ((100 * lost) / carried).toFixed(1);
    const words = `${lost} of ${carried} lost (${share} %); ${late} of ${rttsMs.length}`;
    print(link.name, `${lossPercent} % loss`, `${words} round trips over 100 ms late`);
  }
  for (const rateBytesPerS of [0.1 * MEGABYTE, MEGABYTE, 10 * MEGABYTE]) {
    await link.setQuality({ ...GOOD_LINKS, rateBytesPerS });
    const bytes = 3 * rateBytesPerS;
    const { bulkMs } = await link.probe(1, bytes, 'proxied');
    const measured = (bytes / bulkMs / 1_000).toFixed(3);
    print(link.name, `${rateBytesPerS / MEGABYTE} MB/s`, `${measured} MB/s over ${bytes} bytes`);
  }
  await link.setQuality(GOOD_LINKS);
}

/** Alternately, so that the machine's other work hits both. */
export async function measureIdle(link: MeasuredLink): Promise<void> {
  const rtts: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  const bulks: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  for (let round = 0; round < TIMES; round++) {
    for (const path of ['direct', 'proxied'] as const) {
      await link.setQuality(path === 'direct' || link.name === 'process' ? GOOD_LINKS : WIDE);
      const { rttsMs, bulkMs } = await link.probe(2_000, 50 * MEGABYTE, path);
      rtts[path].push(quantile(rttsMs, 0.5));
      bulks[path].push((50 * MEGABYTE) / bulkMs / 1_000);
    }
  }
  await link.setQuality(GOOD_LINKS);
  const half = (values: readonly number[]): number => quantile(values, 0.5);
  const [direct, proxied] = [half(rtts.direct), half(rtts.proxied)];
  const ratio = (proxied / direct).toFixed(2);
  print(
    link.name,
    'idle: round trip p50',
    `${ms(direct)} without, ${ms(proxied)} with: ${ratio} x`,
  );
  const [fast, slow] = [half(bulks.direct), half(bulks.proxied)];
  const words = `${fast.toFixed(0)} MB/s without, ${slow.toFixed(0)} MB/s with`;
  print(link.name, 'idle: bulk', `${words}: ${(slow / fast).toFixed(2)} x`);
}

async function measureCluster(cluster: Cluster): Promise<void> {
  const names = cluster.nodes.map(({ name }) => name);
  const links = linksAmong(names).filter(({ from, to }) => from === 'n1' || to === 'n1');
  const faults: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
    ['slow-links', () => shape({ delayMs: 50 }), heal],
    ['lossy-links', () => shape({ lossPercent: 10 }), heal],
    ['thin-links', () => shape({ rateBytesPerS: MEGABYTE }), heal],
    ['reset-connections', () => cluster.resetConnections(links), async () => undefined],
    ['partition-one', () => cluster.setGrudge(new Map([['n1', new Set(['n2'])]])), mend],
    ['cable-pull', () => cluster.pullCable('n3'), () => cluster.plugCable('n3')],
  ];
  async function shape(quality: Partial<LinkQuality>): Promise<void> {
    await cluster.setLinkQuality({ ...GOOD_LINKS, ...quality });
  }
  async function heal(): Promise<void> {
    await cluster.setLinkQuality(GOOD_LINKS);
  }
  async function mend(): Promise<void> {
    await cluster.setGrudge(new Map());
  }
  for (const [name, inject, undo] of faults) {
    const times: { inject: number[]; heal: number[] } = { inject: [], heal: [] };
    for (let round = 0; round < TIMES; round++) {
      times.inject.push(await timed(inject));
      await sleep(300);
      times.heal.push(await timed(undo));
      await sleep(300);
    }
    const words = `inject ${ms(quantile(times.inject, 0.5))}, heal ${ms(quantile(times.heal, 0.5))}`;
    print(cluster.backend, name, words);
  }
}

/** Puts to all members at once, with what is in the path and without, in turns. */
async function measurePuts(cluster: Cluster): Promise<void> {
  const rates: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  for (let round = 0; round < 3; round++) {
    for (const path of ['direct', 'proxied'] as const) {
      await cluster.setLinkQuality(path === 'direct' ? GOOD_LINKS : WIDE);
      await sleep(1_000);
      rates[path].push((await putRate(cluster.nodes.map(({ clientUrl }) => clientUrl))).perSecond);
    }
  }
  await cluster.setLinkQuality(GOOD_LINKS);
  const [direct, proxied] = [quantile(rates.direct, 0.5), quantile(rates.proxied, 0.5)];
  const what =
    cluster.backend === 'docker' ? 'idle: puts, proxies in the path' : 'puts, shaper at work';
  const words = `${direct.toFixed(0)}/s without, ${proxied.toFixed(0)}/s with`;
  print(cluster.backend, what, `${words}: ${(proxied / direct).toFixed(2)} x`);
}

/**
 * Members with proxies between them and members without, side by side, asked in turns. Resolves
 * with the throughput with them, of that without.
 */
export async function measureBarePuts(config: ClusterConfig): Promise<number> {
  await using direct = await openBareCluster(config, { isProxied: false });
  await using proxied = await openBareCluster(config, { isProxied: true });
  for (const { clientUrls } of [direct, proxied]) await untilServing(clientUrls);
  const rates: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  const p50s: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  for (let round = 0; round < 3; round++) {
    for (const [path, { clientUrls }] of Object.entries({ direct, proxied })) {
      const { perSecond, p50Ms } = await putRate(clientUrls);
      rates[path as keyof typeof rates].push(perSecond);
      p50s[path as keyof typeof rates].push(p50Ms);
    }
  }
  const half = (values: readonly number[]): number => quantile(values, 0.5);
  const [without, within] = [half(rates.direct), half(rates.proxied)];
  const words = `${without.toFixed(0)}/s without, ${within.toFixed(0)}/s with`;
  const latency = `p50 ${ms(half(p50s.direct))} and ${ms(half(p50s.proxied))}`;
  const ratio = (within / without).toFixed(2);
  print('process', 'idle: puts, proxies in the path', `${words}: ${ratio} x; ${latency}`);
  return within / without;
}

async function untilServing(clientUrls: readonly string[]): Promise<void> {
  for (const url of clientUrls) while (!(await put(url))) await sleep(200);
}

async function put(url: string): Promise<boolean> {
  const body = JSON.stringify({ key: btoa('k'), value: btoa('v'.repeat(100)) });
  const signal = AbortSignal.timeout(2_000);
  return fetch(`${url}/v3/kv/put`, { method: 'POST', body, signal }).then(
    async (answer) => (await answer.text()) !== '' && answer.ok,
    () => false,
  );
}

async function putRate(
  clientUrls: readonly string[],
): Promise<{ readonly perSecond: number; readonly p50Ms: number }> {
  const endMs = performance.now() + PUT_SECONDS * 1_000;
  const times: number[] = [];
  const client = async (url: string): Promise<void> => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      if (await put(url)) times.push(performance.now() - startMs);
    }
  };
  await Promise.all(clientUrls.flatMap((url) => [client(url), client(url)]));
  return { perSecond: times.length / PUT_SECONDS, p50Ms: quantile(times, 0.5) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function main(): Promise<void> {
  const [only, part] = process.argv.slice(2);
  const wants = (name: string): boolean => part === undefined || part === name;
  const directory = mkdtempSync(join(tmpdir(), 'storm-measure-'));
  print('backend', 'injected', 'measured');
  print('---', '---', '---');
  for (const backend of ['process', 'docker'] as const) {
    if (only !== undefined && only !== backend) continue;
    if (wants('links')) {
      await using link = await (backend === 'docker' ? openDockerLink() : openProcessLink());
      await measureQuality(link);
      await measureIdle(link);
    }
    const config: ClusterConfig = {
      runId: `measured-${process.pid}`,
      memberCount: 3,
      heartbeatMs: 100,
      electionMs: 1_000,
      runDirectory: directory,
      target: { kind: 'stormraft', root: resolve(import.meta.dirname, '../..') },
      serverFlags: [],
    };
    if (part === 'links') continue;
    if (backend === 'process' && wants('puts')) await measureBarePuts(config);
    await using cluster = await (backend === 'docker' ? openDockerCluster : openProcessCluster)(
      config,
    );
    await untilServing(cluster.nodes.map(({ clientUrl }) => clientUrl));
    if (wants('puts')) await measurePuts(cluster);
    if (wants('times')) await measureCluster(cluster);
  }
  rmSync(directory, { recursive: true, force: true });
}

if (import.meta.main) await main();

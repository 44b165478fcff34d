/** What every real backend's links must do, shown with three etcd members. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Cluster, ClusterError, type ClusterNode } from '../../harness/cluster/cluster.ts';
import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';
import { linksAmong } from '../../harness/network/link-settings.ts';
import { tallySince } from '../../harness/network/link-tally.ts';
import { eventually, findLeader, get, put } from '../docker/docker-lab.ts';

/** A one-way delay that a put to the leader must wait for twice. */
const DELAY_MS = 60;

const quality = (different: Partial<LinkQuality>): LinkQuality => ({ ...GOOD_LINKS, ...different });

async function putMs(node: ClusterNode): Promise<number> {
  const startMs = performance.now();
  await put(node, 'k', 'v');
  return performance.now() - startMs;
}

/** The tests, for the members of the cluster that is open by the time they run. */
export function testLinks(open: () => Cluster): void {
  const namesOf = (cluster: Cluster): string[] => cluster.nodes.map(({ name }) => name);

  test('a delay on all links is paid there and back; healed, nothing is delayed', async () => {
    const cluster = open();
    const leader = await findLeader(cluster.nodes);
    await cluster.setLinkQuality(quality({ delayMs: DELAY_MS }));
    await eventually('a delayed put', async () => ((await putMs(leader)) > 0 ? true : undefined));
    const before = await cluster.linkTally();
    expect(await putMs(await findLeader(cluster.nodes))).toBeGreaterThanOrEqual(2 * DELAY_MS - 2);
    const since = tallySince(before, await cluster.linkTally());
    expect(since.delayed).toBeGreaterThan(0);
    expect(since.delayedSumMs / since.delayed).toBeGreaterThanOrEqual(DELAY_MS - 2);
    await cluster.setLinkQuality(GOOD_LINKS);
    await eventually('a put that is not', async () =>
      (await putMs(await findLeader(cluster.nodes))) < 2 * DELAY_MS ? true : undefined,
    );
  });

  test('one direction of one link is slow, and faults heal back to distances', async () => {
    const cluster = open();
    const [from, to] = namesOf(cluster);
    const link = { from: from!, to: to! };
    const ownDelay = async (): Promise<number> => {
      const before = await cluster.linkTally();
      await sleep(600);
      const { delayed, delayedSumMs } = tallySince(before, await cluster.linkTally());
      return delayed === 0 ? 0 : delayedSumMs / delayed;
    };
    await cluster.setLinkDistances([{ ...link, quality: quality({ delayMs: 20 }) }]);
    const near = await eventually('a distance', async () => (await ownDelay()) || undefined);
    expect(near).toBeGreaterThanOrEqual(19);
    await cluster.setLinkQuality(GOOD_LINKS, [{ ...link, quality: quality({ delayMs: 100 }) }]);
    await sleep(300);
    const far = await eventually('a slow link', async () => (await ownDelay()) || undefined);
    expect(far).toBeGreaterThanOrEqual(119);
    await cluster.setLinkQuality(GOOD_LINKS);
    await sleep(300);
    const again = await eventually('the distance', async () => (await ownDelay()) || undefined);
    expect(again).toBeLessThan(119);
    await cluster.setLinkDistances([]);
  });

  test('lossy and thin links still carry every write, and count', async () => {
    const cluster = open();
    await cluster.setLinkQuality(quality({ lossPercent: 20 }));
    await eventually('a loss', async () => {
      await put(await findLeader(cluster.nodes), 'lossy', 'yes').catch(() => undefined);
      return (await cluster.linkTally()).lost > 0 ? true : undefined;
    });
    await cluster.setLinkQuality(quality({ rateBytesPerS: 20_000 }));
    await eventually('a queue', async () => {
      await put(await findLeader(cluster.nodes), 'thin', 'x'.repeat(2_000)).catch(() => undefined);
      return (await cluster.linkTally()).thinBytes > 0 ? true : undefined;
    });
    await cluster.setLinkQuality(GOOD_LINKS);
    for (const key of ['lossy', 'thin']) await eventually(key, () => get(cluster.nodes[0]!, key));
  });

  test('resets are counted, and members dial again', async () => {
    const cluster = open();
    const before = await cluster.linkTally();
    await cluster.resetConnections(linksAmong(namesOf(cluster)));
    expect((await cluster.linkTally()).resets).toBeGreaterThan(before.resets);
    await eventually('a write', async () => {
      await put(cluster.nodes[1]!, 'after', 'reset');
      return get(cluster.nodes[2]!, 'after');
    });
  });

  test('a leader whose cable is pulled is replaced, and comes back where it was', async () => {
    const cluster = open();
    const old = await findLeader(cluster.nodes);
    const rest = cluster.nodes.filter((node) => node !== old);
    const url = old.clientUrl;
    await cluster.pullCable(old.name);
    await cluster.pullCable(old.name);
    await findLeader(rest);
    await put(rest[0]!, 'while', 'away');
    await expect(get(old, 'while')).rejects.toThrow();
    // Told to it when it is back.
    await cluster.setGrudge(new Map([[rest[0]!.name, new Set([old.name])]]));
    expect(await cluster.linkCounters()).toHaveLength(6);
    await cluster.setGrudge(new Map());
    await cluster.plugCable(old.name);
    await cluster.plugCable(old.name);
    expect(old.clientUrl).toBe(url);
    expect(await eventually('it serves again', () => get(old, 'while'))).toBe('away');
  });

  test('what no byte stream can do, and who is not there, is refused in one line', async () => {
    const cluster = open();
    const refused = [
      cluster.setLinkQuality(quality({ duplicatePercent: 1 })),
      cluster.setLinkQuality(quality({ reorders: true })),
      cluster.setLinkDistances([{ from: 'n1', to: 'n9', quality: GOOD_LINKS }]),
      cluster.resetConnections([{ from: 'n9', to: 'n1' }]),
      cluster.pullCable('n9'),
    ];
    for (const call of refused) {
      const error = await call.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ClusterError);
      expect(String(error)).not.toContain('\n');
    }
    const flaky = cluster.capabilities.find(({ capability }) => capability === 'flaky-links');
    expect(flaky?.available).toBe(false);
    expect(flaky?.detail).toContain('neither repeat nor reorder');
  });
}

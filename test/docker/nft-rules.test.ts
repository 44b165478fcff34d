/** What the agent says to nft and reads back, and the shell that it says it to. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openNftCuts } from '../../harness/cluster/docker/agent/cuts.ts';
import { parseSet, replaceCommand } from '../../harness/cluster/docker/agent/nft-rules.ts';

describe('a replacement', () => {
  test('is one transaction', () => {
    expect(replaceCommand(['10.0.0.2', '10.0.0.3'])).toBe(
      'flush set ip storm_grudge cut; add element ip storm_grudge cut { 10.0.0.2, 10.0.0.3 }',
    );
  });

  test('by nobody empties the set', () => {
    expect(replaceCommand([])).toBe('flush set ip storm_grudge cut');
  });
});

describe('a listed set', () => {
  const listed = (elem: unknown, name = 'cut'): string =>
    JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, { set: { name, elem } }] });
  const element = (val: unknown, packets: unknown): unknown => ({
    elem: { val, counter: { packets, bytes: 1 } },
  });

  test('gives the packets of every source', () => {
    expect(parseSet(listed([element('10.0.0.2', 7), element('10.0.0.3', 0)]))).toEqual({
      '10.0.0.2': 7,
      '10.0.0.3': 0,
    });
    expect(parseSet(listed(undefined))).toEqual({});
  });

  test.each([
    ['no JSON', 'table ip storm_grudge'],
    ['another set', listed([], 'other')],
    ['no counters', listed(['10.0.0.2'])],
    ['nothing', '{"nftables": []}'],
  ])('that is not one, %s, gives nothing', (_, line) => {
    expect(parseSet(line)).toBeUndefined();
  });
});

/** Holds a set and answers as nft does; one address is refused, another is deadly. */
const FAKE_NFT = `#!${process.execPath}
if (process.argv.includes('--version')) {
  console.log('nftables v0.0.0 (fake)');
  process.exit();
}
let cut = [];
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  if (line.startsWith('list set')) {
    const elem = cut.map((val) => ({ elem: { val, counter: { packets: 3, bytes: 1 } } }));
    console.log(JSON.stringify({ nftables: [{ set: { name: 'cut', elem } }] }));
    return;
  }
  const wanted = line.match(/\\d+(\\.\\d+){3}/g) ?? [];
  if (wanted.includes('10.0.0.66')) process.exit(1);
  if (wanted.includes('10.0.0.99')) console.error('Error: refused');
  else if (line.startsWith('flush set')) cut = wanted;
});
`;

describe('cuts by an nft that stays', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'storm-nft-'));
    writeFileSync(join(directory, 'nft'), FAKE_NFT);
    chmodSync(join(directory, 'nft'), 0o755);
    vi.stubEnv('PATH', [directory, process.env.PATH].join(delimiter));
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true, force: true });
  });

  test('count over replacements, without the probe', async () => {
    const cuts = await openNftCuts();
    expect(cuts.mechanism).toBe('nftables v0.0.0 (fake), a set');
    expect(await cuts.counts()).toEqual({});
    await cuts.replace(['10.0.0.2', '10.0.0.3']);
    expect(await cuts.counts()).toEqual({ '10.0.0.2': 3, '10.0.0.3': 3 });
    await cuts.replace(['10.0.0.2']);
    expect(await cuts.counts()).toEqual({ '10.0.0.2': 6, '10.0.0.3': 3 });
    cuts.close();
  });

  test('say what nft refused', async () => {
    const cuts = await openNftCuts();
    await expect(cuts.replace(['10.0.0.99'])).rejects.toThrow(/fake.*(refused|not what was asked)/);
    cuts.close();
  });

  test('outlive an nft that ends', async () => {
    const cuts = await openNftCuts();
    await expect(cuts.replace(['10.0.0.66'])).rejects.toThrow(/nft: ended with 1/);
    await cuts.replace(['10.0.0.2']);
    expect(await cuts.counts()).toEqual({ '10.0.0.2': 3 });
    cuts.close();
  });

  test('are not where there is no nft', async () => {
    vi.stubEnv('PATH', join(directory, 'nowhere'));
    await expect(openNftCuts()).rejects.toThrow(/ENOENT/);
  });
});

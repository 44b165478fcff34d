import { utf8Encode } from '../../src/lib/utf8.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Disk } from '../../src/ports/disk.ts';
import type { Entry, HardState } from '../../src/raft/message.ts';
import { type Recovered, Wal, type WalOptions } from '../../src/wal/wal.ts';

/** What the tests of the log share. */
export const DIRECTORY = 'data/member/wal';
export const METADATA = { memberId: 0x2e12_59d4_15f2_a040n, clusterId: 0xf000_0000_0000_0001n };

export function walOptions(disk: Disk, options: Partial<WalOptions> = {}): WalOptions {
  return {
    disk,
    clock: countingClock(),
    directory: DIRECTORY,
    segmentBytesMax: 65_536,
    ...options,
  };
}

/** Opens a log that must be in order. */
export async function openWal(
  disk: Disk,
  options: Partial<WalOptions> = {},
): Promise<{ wal: Wal; recovered: Recovered }> {
  const opened = await Wal.open(walOptions(disk, options));
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}

export function entry(index: number, term = 1, text = `entry ${index} of term ${term}`): Entry {
  return { type: 'normal', term, index, data: utf8Encode(text) };
}

export function entries(from: number, to: number, term = 1): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term));
}

export function hardState(term: number, commit = 0, vote?: bigint): HardState {
  return { term, vote, commit };
}

/** A clock that goes on by 1 ms with every look at it. */
function countingClock(): Clock {
  let nowNs = 0;
  const noTimer = { [Symbol.dispose]: () => undefined };
  return {
    nowNs: () => (nowNs += 1_000_000),
    wallMs: () => 0,
    every: () => noTimer,
    after: () => noTimer,
    soon: (callback) => callback(),
  };
}

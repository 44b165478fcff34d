import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry, HardState, SnapshotMeta } from '../../src/raft/message.ts';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { smallRandom } from '../support/small-random.ts';
import { DIRECTORY, METADATA, openWal, walOptions } from './wal-fixture.ts';

/**
 * Random logs, power failures at random operations: what was acknowledged is there, what was
 * not may be cut off at any record but only at the end, and nothing else ever appears.
 */
const SMALL = { segmentBytesMax: 4096 };

test('a power failure takes nothing acknowledged and invents nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(lifeArbitrary, { maxLength: 4 }), async (seed, lives) => {
      const random = smallRandom(seed);
      let disk = new MemoryDisk();
      await (await Wal.create(walOptions(disk, SMALL), METADATA)).close();
      const history = new History();
      for (const life of lives) {
        const { wal, recovered } = await openWal(disk, SMALL);
        history.expectRecovered(recovered);
        disk.powerOffAfter(life.operations);
        await live(wal, life.steps, history);
        disk = disk.afterPowerLoss(random);
      }
      history.expectRecovered((await openWal(disk, SMALL)).recovered);
      expect(disk.names(DIRECTORY).length).toBeGreaterThan(0);
    }),
    { seed: 20_260_801, numRuns: 300 },
  );
});

interface Step {
  readonly kind: 'entries' | 'overwrite' | 'vote' | 'commit' | 'checkpoint' | 'install' | 'release';
  readonly count: number;
  readonly sizeBytes: number;
  /** Waits for everything before it goes on. */
  readonly waits: boolean;
}

const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'entries',
    'entries',
    'entries',
    'overwrite',
    'vote',
    'commit',
    'checkpoint',
    'install',
    'release',
  ),
  count: fc.integer({ min: 1, max: 5 }),
  sizeBytes: fc.integer({ min: 0, max: 1500 }),
  waits: fc.boolean(),
});

const lifeArbitrary = fc.record({
  operations: fc.integer({ min: 1, max: 60 }),
  steps: fc.array(stepArbitrary, { maxLength: 25 }),
});

async function live(wal: Wal, steps: readonly Step[], history: History): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  for (const step of steps) {
    // Every rejection is the power failure: what it means is checked after the restart.
    last = take(wal, step, history).catch(() => undefined);
    if (step.waits) await last;
  }
  await last;
  await wal.close().catch(() => undefined);
}

function take(wal: Wal, step: Step, history: History): Promise<void> {
  switch (step.kind) {
    case 'entries':
    case 'overwrite': {
      const entries = history.nextEntries(step);
      return history.issue(
        entries.map((entry) => ({ type: 'entry', entry })),
        wal.append({ entries, hardState: undefined }),
      );
    }
    case 'vote':
    case 'commit': {
      const hardState = history.nextHardState(step.kind);
      const appended = wal.append({ entries: [], hardState });
      const isDurable = step.kind === 'vote';
      return history.issue([{ type: 'hardState', hardState }], appended, isDurable);
    }
    case 'checkpoint':
    case 'install': {
      const meta = history.nextSnapshot(step);
      return history.issue([{ type: 'snapshot', ...meta }], wal.saveSnapshot(meta));
    }
    case 'release':
      history.released = Math.max(history.released, history.committed);
      return wal.release(history.committed);
  }
}

type Change =
  | { readonly type: 'entry'; readonly entry: Entry }
  | { readonly type: 'hardState'; readonly hardState: HardState }
  | { readonly type: 'snapshot'; readonly index: number; readonly term: number };

interface State {
  readonly entries: Map<number, Entry>;
  readonly lastIndex: number;
  readonly hardState: HardState;
}

/** What was written in which order, and how much of it must have survived. */
class History {
  /** Entries up to here may be missing: they were released. */
  released = 0;
  /** What raft has committed: never overwritten, and all that may be released. */
  committed = 0;
  #changes: Change[] = [];
  #durable = 0;
  #term = 1;

  async issue(changes: Change[], written: Promise<void>, isDurable = true): Promise<void> {
    this.#changes.push(...changes);
    const count = this.#changes.length;
    await written;
    if (isDurable) this.#durable = Math.max(this.#durable, count);
  }

  nextEntries(step: Step): Entry[] {
    const { lastIndex } = stateAfter(this.#changes);
    if (step.kind === 'overwrite') this.#term++;
    const first =
      step.kind === 'overwrite' ? Math.max(this.committed + 1, lastIndex - 1) : lastIndex + 1;
    return Array.from({ length: step.count }, (_, i) => ({
      type: 'normal',
      term: this.#term,
      index: first + i,
      data: new Uint8Array(step.sizeBytes).fill(1 + ((first + i + this.#term) % 255)),
    }));
  }

  nextHardState(kind: 'vote' | 'commit'): HardState {
    const { lastIndex, hardState } = stateAfter(this.#changes);
    if (kind === 'vote') this.#term++;
    else this.committed = Math.max(this.committed, lastIndex - 1, 0);
    const vote = kind === 'vote' ? METADATA.memberId : hardState.vote;
    const term = kind === 'vote' ? this.#term : Math.max(hardState.term, 1);
    return { term, vote, commit: this.committed };
  }

  nextSnapshot(step: Step): SnapshotMeta {
    const { lastIndex, entries } = stateAfter(this.#changes);
    const confState = simpleConf([]);
    const own = entries.get(this.committed);
    if (step.kind === 'checkpoint' && own !== undefined) {
      return { index: own.index, term: own.term, confState };
    }
    this.committed = lastIndex + step.count;
    return { index: this.committed, term: this.#term, confState };
  }

  /** The log is what some beginning of the history gives, and then that is the history. */
  expectRecovered(recovered: { entries: readonly Entry[]; hardState: HardState }): void {
    for (let count = this.#changes.length; count >= this.#durable; count--) {
      const state = stateAfter(this.#changes.slice(0, count));
      if (!this.#matches(state, recovered)) continue;
      this.#changes = this.#changes.slice(0, count);
      this.#durable = count;
      this.committed = Math.min(this.committed, state.lastIndex);
      return;
    }
    expect.fail(`no state after ≥ ${this.#durable} of ${this.#changes.length} changes matches`);
  }

  #matches(state: State, recovered: { entries: readonly Entry[]; hardState: HardState }): boolean {
    const first = recovered.entries[0]?.index ?? state.lastIndex + 1;
    const expected = [...state.entries.values()].filter((entry) => entry.index >= first);
    const missing = [...state.entries.keys()].filter((index) => index < first);
    if (missing.some((index) => index > this.released)) return false;
    return (
      isDeepStrictEqual(expected, recovered.entries) &&
      isDeepStrictEqual(state.hardState, recovered.hardState)
    );
  }
}

function stateAfter(changes: readonly Change[]): State {
  const entries = new Map<number, Entry>();
  let lastIndex = 0;
  let hardState: HardState = { term: 0, vote: undefined, commit: 0 };
  for (const change of changes) {
    if (change.type === 'hardState') hardState = change.hardState;
    else if (change.type === 'entry') {
      for (let index = change.entry.index; index <= lastIndex; index++) entries.delete(index);
      entries.set(change.entry.index, change.entry);
      lastIndex = change.entry.index;
    } else if (entries.get(change.index)?.term !== change.term) {
      entries.clear();
      lastIndex = change.index;
    }
  }
  return { entries, lastIndex, hardState };
}

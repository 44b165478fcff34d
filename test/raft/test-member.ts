/**
 * A member as raft's owner would run it, with everything under the test's control: a disk that
 * holds only what was written, a state machine that lists what it applied, and no clock.
 */

import { assert } from '../../src/lib/assert.ts';
import type { Index, MemberId } from '../../src/lib/ids.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { LEAVE_JOINT } from '../../src/raft/confchange.ts';
import { type RaftConfig, raftConfig } from '../../src/raft/config.ts';
import type {
  Entry,
  HardState,
  Message,
  Outputs,
  SnapshotMeta,
  StorageAppend,
} from '../../src/raft/message.ts';
import { type ConfChange, type ConfChangeEntry, RawNode } from '../../src/raft/raw-node.ts';
import { forkedRandom } from './forked-random.ts';

/** The state machine at some index: every datum applied, in order. */
export interface Checkpoint {
  readonly meta: SnapshotMeta;
  readonly state: readonly string[];
}

interface Disk {
  hardState: HardState;
  checkpoint: Checkpoint;
  /** The log from some index on; may reach back before the checkpoint. */
  entries: Entry[];
}

export interface TestMemberOptions {
  readonly id: MemberId;
  readonly config: Partial<RaftConfig>;
  readonly seed: number;
  readonly checkpoint: Checkpoint;
  /** Where a snapshot's bytes come from: they travel outside raft. */
  readonly fetchCheckpoint: (meta: SnapshotMeta) => Checkpoint;
}

export class TestMember {
  readonly id: MemberId;
  readonly #options: TestMemberOptions;
  readonly #disk: Disk;
  /** Undefined while crashed. */
  node: RawNode | undefined;
  /** Handed to storage and not durable yet, oldest first. */
  writes: StorageAppend[] = [];
  state: string[] = [];
  /** Index of the newest entry that `state` includes. */
  appliedIndex: Index = 0;
  #starts = 0;

  constructor(options: TestMemberOptions) {
    this.id = options.id;
    this.#options = options;
    const { checkpoint } = options;
    const { index, term } = checkpoint.meta;
    this.#disk = { hardState: { term, vote: undefined, commit: index }, checkpoint, entries: [] };
    this.start();
  }

  get running(): RawNode {
    assert(this.node !== undefined, `member ${this.id} is not running`);
    return this.node;
  }

  /** From what is on disk, and from nothing else. */
  start(): void {
    assert(this.node === undefined, `member ${this.id} is running already`);
    const { hardState, checkpoint, entries } = this.#disk;
    const { meta } = checkpoint;
    const { id, config, seed } = this.#options;
    this.#starts++;
    const random = forkedRandom(seed + 1000 * Number(id)).fork(`start ${this.#starts}`);
    this.node = new RawNode(raftConfig({ random, ...config, id }), {
      hardState: { ...hardState, term: Math.max(hardState.term, meta.term) },
      snapshot: meta,
      entries: entriesAfter(meta, entries),
      applied: meta.index,
    });
    this.state = [...checkpoint.state];
    this.appliedIndex = meta.index;
  }

  /** Loses everything but the disk, which keeps the first `writesKept` writes under way. */
  crash(writesKept: number): void {
    assert(this.node !== undefined, `member ${this.id} is not running`);
    for (const write of this.writes.slice(0, writesKept)) this.#persist(write);
    this.writes = [];
    this.node = undefined;
  }

  /** A disk rolled back: it forgets every entry after `index`, but not term and vote. */
  loseEntriesAfter(index: Index): void {
    assert(this.node === undefined, 'disks are rolled back while the member is down');
    this.#disk.entries = this.#disk.entries.filter((entry) => entry.index <= index);
    this.#disk.hardState = { ...this.#disk.hardState, commit: 0 };
  }

  /** One turn of the owner's loop: applies and queues writes; the rest is the caller's. */
  turn(): Outputs | undefined {
    const outputs = this.running.takeOutputs();
    if (outputs === undefined) return undefined;
    if (outputs.append !== undefined) this.writes.push(outputs.append);
    for (const entry of outputs.committed) this.#apply(entry);
    return outputs;
  }

  /** The oldest write becomes durable; returns what raft asked to deliver then. */
  completeWrite(): readonly Message[] {
    const write = this.writes.shift();
    if (write === undefined) return [];
    this.#persist(write);
    if (write.snapshot !== undefined) {
      const { meta, state } = this.#options.fetchCheckpoint(write.snapshot);
      this.state = [...state];
      this.appliedIndex = meta.index;
    }
    return write.responses;
  }

  /** The state machine as it stands now, made durable, for raft to offer to followers. */
  saveCheckpoint(): Checkpoint {
    const index = this.appliedIndex;
    const { core } = this.running;
    const term = core.log.termAt(index);
    assert(term !== undefined, 'the applied entry is in the log');
    const meta = { index, term, confState: core.conf };
    this.#disk.checkpoint = { meta, state: [...this.state] };
    this.running.snapshotSaved(meta);
    return this.#disk.checkpoint;
  }

  #apply(entry: Entry): void {
    assert(entry.index === this.appliedIndex + 1, 'entries are applied in order');
    const text = utf8Decode(entry.data);
    this.appliedIndex = entry.index;
    if (entry.type !== 'normal') this.running.applyConfChange(parseConfChange(text));
    else if (text !== '') this.state.push(text);
    this.running.appliedTo(entry.index);
  }

  #persist({ entries, hardState, snapshot }: StorageAppend): void {
    const disk = this.#disk;
    if (snapshot !== undefined) {
      disk.checkpoint = this.#options.fetchCheckpoint(snapshot);
      disk.entries = [];
    }
    const first = entries[0];
    if (first !== undefined) {
      const before = disk.entries.filter((entry) => entry.index < first.index);
      const { index } = disk.checkpoint.meta;
      const gap = first.index > (before.at(-1)?.index ?? index) + 1;
      // What was applied before it was durable here may be in the checkpoint and not in the log.
      assert(!gap || first.index <= index + 1, 'the written log has a gap');
      disk.entries = gap ? [...entries] : [...before, ...entries];
    }
    if (hardState !== undefined) disk.hardState = hardState;
  }
}

const CHANGES = ['addVoter', 'addLearner', 'remove', 'update'] as const;

/**
 * `addVoter 4`, `addLearner 5`, `remove 3`, `update 3`; several with commas are joint;
 * `explicit: remove 3` is joint until it is left. Nothing at all leaves.
 */
export function parseConfChange(text: string): ConfChange {
  if (text === '') return LEAVE_JOINT;
  const explicit = text.startsWith(EXPLICIT);
  const changes = (explicit ? text.slice(EXPLICIT.length) : text).split(',').map((part) => {
    const [word, member] = part.trim().split(' ');
    const type = CHANGES.find((name) => name === word);
    assert(type !== undefined, `bad change ${text}`);
    return { type, member: BigInt(member!) };
  });
  return { transition: explicit ? 'jointExplicit' : 'auto', changes };
}

const EXPLICIT = 'explicit:';

/** One change as v1, anything else as v2. */
export function confChangeEntry(text: string): ConfChangeEntry {
  const isSingle = text !== '' && !text.startsWith(EXPLICIT) && !text.includes(',');
  return { type: isSingle ? 'confChange' : 'confChangeV2', data: utf8Encode(text) };
}

/** A log that does not contain the checkpoint is superseded by it. */
function entriesAfter(meta: SnapshotMeta, entries: readonly Entry[]): readonly Entry[] {
  const before = entries[0]?.index === meta.index + 1;
  const inside = entries.some(({ index, term }) => index === meta.index && term === meta.term);
  return before || inside ? entries.filter(({ index }) => index > meta.index) : [];
}

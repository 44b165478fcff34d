/** Settings of the consensus core: checked once, here, before a node exists. */
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { Random } from '../ports/random.ts';

export interface RaftConfig {
  readonly id: MemberId;
  /** Follower patience: an election starts after [1, 2) × this many ticks without a leader. */
  readonly electionTimeoutTicks: number;
  /** Ticks between the leader's heartbeats. */
  readonly heartbeatTicks: number;
  /** Ask whether an election could be won before disturbing the term (thesis 9.6). */
  readonly preVote: boolean;
  /** Leaders without a quorum step down; followers in contact ignore elections (thesis 6.2). */
  readonly checkQuorum: boolean;
  /** Entries of one MsgApp; a single larger entry still travels, alone. */
  readonly maxMessageBytes: number;
  /** MsgApp with entries sent to one follower and not yet acknowledged. */
  readonly maxInflightMessages: number;
  /** Entries in those messages; reaching it pauses that follower's pipeline. */
  readonly maxInflightBytes: number;
  /** Appended by this leader and not committed; proposals beyond it are dropped. */
  readonly maxUncommittedBytes: number;
  /** Entries handed out for application by one `takeOutputs`. */
  readonly maxCommittedBytesPerTurn: number;
  readonly random: Random;
}

/** With ticks of 100 ms these are etcd's 100 ms heartbeat and 1000 ms election timeout. */
export const RAFT_DEFAULTS: Readonly<Omit<RaftConfig, 'id' | 'random'>> = {
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  preVote: true,
  checkQuorum: true,
  maxMessageBytes: 1_048_576,
  maxInflightMessages: 512,
  maxInflightBytes: 67_108_864,
  maxUncommittedBytes: 268_435_456,
  maxCommittedBytesPerTurn: 1_048_576,
};

/** The defaults with `overrides`, checked. */
export function raftConfig(
  overrides: Pick<RaftConfig, 'id' | 'random'> & Partial<RaftConfig>,
): RaftConfig {
  const config = { ...RAFT_DEFAULTS, ...overrides };
  assertConfig(config);
  return config;
}

/** Flags are checked where they are read; a bad value that arrives here is a bug. */
export function assertConfig(config: RaftConfig): void {
  assert(config.id > 0n, 'raft: member id 0 means "no member" on the wire');
  for (const [name, value] of Object.entries(config)) {
    if (typeof value !== 'number') continue;
    assert(Number.isSafeInteger(value) && value > 0, `raft: ${name} must be a positive integer`);
  }
  assert(
    config.electionTimeoutTicks > config.heartbeatTicks,
    'raft: electionTimeoutTicks must exceed heartbeatTicks',
  );
}

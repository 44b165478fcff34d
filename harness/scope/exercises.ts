/**
 * Saved scenarios with an expected outcome, as data: the live page plays them, a test runs each.
 * Times are virtual ms since the cluster's start.
 */

/** A member's name, or who is meant at that moment; of several the first by name. */
export type ExerciseTarget = 'leader' | 'follower' | 'running' | 'stopped' | `n${number}`;

export type ExerciseAction = 'stop' | 'resume' | 'pause' | 'restart' | 'timeOut' | 'request';

export interface ExerciseStep {
  readonly atMs: number;
  readonly action: ExerciseAction;
  readonly node: ExerciseTarget;
}

/** What must be true at `byMs`. Requests are those of the exercise's own steps. */
export type Expectation = {
  readonly byMs: number;
} /** One member leads, and all that run follow it; in a later term than the leader at `after`. */ & (
  | { readonly type: 'leader'; readonly laterThanAtMs?: number }
  | { readonly type: 'noLeader' }
  /** The requests made at `sinceMs` or later were all acknowledged. */
  | { readonly type: 'committed'; readonly sinceMs: number }
  /** None of them was acknowledged, and no running member has applied any. */
  | { readonly type: 'notCommitted'; readonly sinceMs: number }
  /** All members run, and hold the same log, all of it committed. */
  | { readonly type: 'logsEqual' }
);

export interface Exercise {
  readonly id: string;
  readonly title: string;
  readonly story: string;
  readonly members: number;
  /** By time. */
  readonly steps: readonly ExerciseStep[];
  readonly expect: readonly Expectation[];
}

const FIRST_ELECTION: Exercise = {
  id: 'first-election',
  title: 'First election',
  story:
    'Five members start and nobody leads. The first whose election timer ends asks the others ' +
    'for their votes; a majority makes it leader.',
  members: 5,
  steps: [],
  expect: [{ type: 'leader', byMs: 5_000 }],
};

const LEADER_STOP: Exercise = {
  id: 'leader-stop',
  title: 'The leader stops',
  story:
    'The leader crashes. Without its heartbeats an election timer ends, and another member ' +
    'leads, in a later term.',
  members: 5,
  steps: [
    { atMs: 5_000, action: 'stop', node: 'leader' },
    { atMs: 10_000, action: 'request', node: 'leader' },
  ],
  expect: [
    { type: 'leader', byMs: 10_000, laterThanAtMs: 4_900 },
    { type: 'committed', byMs: 12_000, sinceMs: 10_000 },
  ],
};

const CATCH_UP: Exercise = {
  id: 'catch-up',
  title: 'Catching up after a restart',
  story:
    'A follower is down while the others go on committing. When it comes back, the leader finds ' +
    'where their logs part and sends what is missing.',
  members: 3,
  steps: [
    { atMs: 4_000, action: 'request', node: 'leader' },
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 5_500, action: 'request', node: 'leader' },
    { atMs: 6_000, action: 'request', node: 'follower' },
    { atMs: 6_500, action: 'request', node: 'leader' },
    { atMs: 8_000, action: 'resume', node: 'stopped' },
  ],
  expect: [
    { type: 'committed', byMs: 7_900, sinceMs: 4_000 },
    { type: 'logsEqual', byMs: 11_000 },
  ],
};

const TWO_DOWN: Exercise = {
  id: 'two-down',
  title: 'Two of five down',
  story: 'Three of five are still a majority: requests are committed as if nothing had happened.',
  members: 5,
  steps: [
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 6_000, action: 'request', node: 'leader' },
    { atMs: 6_500, action: 'request', node: 'follower' },
  ],
  expect: [
    { type: 'committed', byMs: 8_000, sinceMs: 6_000 },
    { type: 'leader', byMs: 8_000 },
  ],
};

const THREE_DOWN: Exercise = {
  id: 'three-down',
  title: 'Three of five down',
  story:
    'Two of five are no majority. The leader may write a request to its own log, but nothing is ' +
    'committed, and nobody is told that it was.',
  members: 5,
  steps: [
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 5_000, action: 'stop', node: 'follower' },
    { atMs: 5_300, action: 'request', node: 'leader' },
    { atMs: 9_000, action: 'request', node: 'running' },
  ],
  expect: [
    { type: 'notCommitted', byMs: 13_000, sinceMs: 5_300 },
    { type: 'noLeader', byMs: 13_000 },
  ],
};

const ONE_RETURNS: Exercise = {
  id: 'one-returns',
  title: 'No quorum, then one returns',
  story:
    'Three of five are down and nothing moves. One of them comes back, there is a majority again, ' +
    'and with it a leader and progress.',
  members: 5,
  steps: [
    { atMs: 5_000, action: 'stop', node: 'leader' },
    { atMs: 5_000, action: 'stop', node: 'running' },
    { atMs: 5_000, action: 'stop', node: 'running' },
    { atMs: 7_000, action: 'request', node: 'running' },
    { atMs: 10_500, action: 'resume', node: 'stopped' },
    { atMs: 16_000, action: 'request', node: 'leader' },
  ],
  expect: [
    { type: 'notCommitted', byMs: 10_500, sinceMs: 7_000 },
    { type: 'leader', byMs: 16_000, laterThanAtMs: 4_900 },
    { type: 'committed', byMs: 18_000, sinceMs: 16_000 },
  ],
};

export const EXERCISES: readonly Exercise[] = [
  FIRST_ELECTION,
  LEADER_STOP,
  CATCH_UP,
  TWO_DOWN,
  THREE_DOWN,
  ONE_RETURNS,
];

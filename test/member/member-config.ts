import type { MemberConfig } from '../../src/member/config.ts';
import { DEFAULT_LIMITS } from '../../src/member/limits.ts';
import { timingOf } from '../../src/member/timing.ts';
import { DEFAULT_WATCH_LIMITS } from '../../src/mvcc/watch-hub.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';

/** Of member 1, with little between two checkpoints. */
export const MEMBER_CONFIG: MemberConfig = {
  memberId: 1n,
  clusterId: 9n,
  name: 'n1',
  clientUrls: [],
  timing: timingOf(100, 1000),
  limits: DEFAULT_LIMITS,
  raft: RAFT_DEFAULTS,
  leaseCheckpointS: 300,
  watch: DEFAULT_WATCH_LIMITS,
  compaction: { mode: 'off' },
  snapshotCount: 10,
  catchupEntries: 5,
};

/** All failure modes that have a name, in the order in which `storm list` prints them. */
import { BOOTSTRAP_WRONG_CLUSTER_STRING } from './modes/bootstrap-wrong-cluster-string.ts';
import { ELECTION_ON_SLOW_DISKS } from './modes/election-on-slow-disks.ts';
import { FULL_DISK } from './modes/full-disk.ts';
import { KILL_AND_RETURN } from './modes/kill-and-return.ts';
import { LEADER_LOSS } from './modes/leader-loss.ts';
import { LOCK_AFTER_LEASE_EXPIRY } from './modes/lock-after-lease-expiry.ts';
import { LOCK_NOT_EXCLUSIVE_AFTER_PAUSE } from './modes/lock-not-exclusive-after-pause.ts';
import { LOST_AND_TIMED_OUT_WRITES_IN_LEADER_CRASH } from './modes/lost-and-timed-out-writes-in-leader-crash.ts';
import { MAJORITY_LOSS } from './modes/majority-loss.ts';
import { MEMBER_ROLLED_BACK } from './modes/member-rolled-back.ts';
import { MINORITY_LOSS } from './modes/minority-loss.ts';
import { OLD_VM_SNAPSHOT_RECOVERY } from './modes/old-vm-snapshot-recovery.ts';
import { PARTITION_LEADER } from './modes/partition-leader.ts';
import { POWER_LOSS_UNSAFE_NO_FSYNC } from './modes/power-loss-unsafe-no-fsync.ts';
import { QUOTA_EXCEEDED_AND_RECOVERY } from './modes/quota-exceeded-and-recovery.ts';
import { RBAC_NESTED_TXN } from './modes/rbac-nested-txn.ts';
import { ROLLING_RESTART } from './modes/rolling-restart.ts';
import { SLOW_DISK_WRONG_TIMEOUTS } from './modes/slow-disk-wrong-timeouts.ts';
import { SUSPEND_LEADER_THEN_NEXT } from './modes/suspend-leader-then-next.ts';
import { TOLERANCE_TABLE } from './modes/tolerance-table.ts';
import { TORN_DB } from './modes/torn-db.ts';
import { TORN_WAL_TAIL } from './modes/torn-wal-tail.ts';
import { TXN_READ_AHEAD_DIVERGES } from './modes/txn-read-ahead-diverges.ts';
import { WAL_BIT_FLIP } from './modes/wal-bit-flip.ts';
import { WATCH_FROM_ZERO } from './modes/watch-from-zero.ts';
import { WATCH_PROGRESS_EARLY } from './modes/watch-progress-early.ts';
import { WATCH_TIME_TRAVEL } from './modes/watch-time-travel.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [
  LOCK_AFTER_LEASE_EXPIRY,
  WATCH_PROGRESS_EARLY,
  WATCH_TIME_TRAVEL,
  RBAC_NESTED_TXN,
  TXN_READ_AHEAD_DIVERGES,
  TORN_WAL_TAIL,
  WAL_BIT_FLIP,
  TORN_DB,
  MEMBER_ROLLED_BACK,
  LOCK_NOT_EXCLUSIVE_AFTER_PAUSE,
  WATCH_FROM_ZERO,
  LEADER_LOSS,
  MINORITY_LOSS,
  MAJORITY_LOSS,
  PARTITION_LEADER,
  BOOTSTRAP_WRONG_CLUSTER_STRING,
  SUSPEND_LEADER_THEN_NEXT,
  QUOTA_EXCEEDED_AND_RECOVERY,
  FULL_DISK,
  SLOW_DISK_WRONG_TIMEOUTS,
  ELECTION_ON_SLOW_DISKS,
  TOLERANCE_TABLE,
  ROLLING_RESTART,
  LOST_AND_TIMED_OUT_WRITES_IN_LEADER_CRASH,
  OLD_VM_SNAPSHOT_RECOVERY,
  KILL_AND_RETURN,
  POWER_LOSS_UNSAFE_NO_FSYNC,
];

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}

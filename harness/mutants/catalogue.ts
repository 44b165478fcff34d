/**
 * Bugs to plant: each is a plausible mistake in the server, told in one line, and the edits
 * that make it. They are applied to a copy of the source (plant.ts), so the product itself
 * has no switch for any of them. An edit that no longer fits its file is an error: the
 * catalogue must be kept true when the source changes.
 */

import { StormError } from '../exit-code.ts';
import { ALARM_MUTANTS } from './catalogue/alarm.ts';
import { AUTH_MUTANTS } from './catalogue/auth.ts';
import { COMPACTION_MUTANTS } from './catalogue/compaction.ts';
import { LEASE_MUTANTS } from './catalogue/lease.ts';
import { LOCK_MUTANTS } from './catalogue/lock.ts';
import { MEMBER_MUTANTS } from './catalogue/member.ts';
import { MEMBERSHIP_MUTANTS } from './catalogue/membership.ts';
import { MVCC_RANGE_MUTANTS } from './catalogue/mvcc-ranges.ts';
import { MVCC_WRITE_MUTANTS } from './catalogue/mvcc-writes.ts';
import { RAFT_ELECTION_MUTANTS } from './catalogue/raft-elections.ts';
import { RAFT_REPLICATION_MUTANTS } from './catalogue/raft-replication.ts';
import { READ_PATH_MUTANTS } from './catalogue/read-path.ts';
import { RECONFIGURATION_MUTANTS } from './catalogue/reconfiguration.ts';
import { SNAPSHOT_MUTANTS } from './catalogue/snapshot.ts';
import { STATE_BUCKET_MUTANTS } from './catalogue/state-buckets.ts';
import { WAL_MUTANTS } from './catalogue/wal.ts';
import { WATCH_MUTANTS } from './catalogue/watch.ts';
import type { Mutant } from './mutant.ts';

/** Area by area. */
export const MUTANTS: readonly Mutant[] = [
  ...RAFT_ELECTION_MUTANTS,
  ...RAFT_REPLICATION_MUTANTS,
  ...WAL_MUTANTS,
  ...SNAPSHOT_MUTANTS,
  ...STATE_BUCKET_MUTANTS,
  ...MVCC_WRITE_MUTANTS,
  ...MVCC_RANGE_MUTANTS,
  ...COMPACTION_MUTANTS,
  ...WATCH_MUTANTS,
  ...LEASE_MUTANTS,
  ...LOCK_MUTANTS,
  ...AUTH_MUTANTS,
  ...ALARM_MUTANTS,
  ...READ_PATH_MUTANTS,
  ...MEMBER_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...RECONFIGURATION_MUTANTS,
];

/** Mutants by name, comma-separated; undefined: all. Throws {@link StormError} naming `field`. */
export function parseMutants<Kind extends { readonly name: string }>(
  field: string,
  names: string | undefined,
  catalogue: readonly Kind[],
): readonly Kind[] {
  if (names === undefined) return catalogue;
  return names.split(',').map((name) => {
    const found = catalogue.find((mutant) => mutant.name === name.trim());
    if (found !== undefined) return found;
    const known = catalogue.map((mutant) => mutant.name).join(', ');
    throw new StormError(`${field} ${name}: no such mutant; use ${known}`);
  });
}

/** Mistakes in the parts of a checkpoint that are not keys. */
import { edit, type Mutant } from '../mutant.ts';

const BUCKETS = 'src/snap/state-buckets.ts';
const STATE = 'src/member/replicated-state.ts';

export const STATE_BUCKET_MUTANTS: readonly Mutant[] = [
  {
    name: 'leases-left-out-of-checkpoint',
    area: 'snapshot',
    story: 'checkpoints hold no leases: after a restart a revoke deletes nothing, keys stay',
    expected: 'oracle: state',
    edits: [edit(STATE, 'leases: state.lessor.records(),', 'leases: [],')],
  },
  {
    name: 'alarms-left-out-of-checkpoint',
    area: 'snapshot',
    story: 'checkpoints hold no alarms: a restarted member applies what the others refuse',
    expected: 'oracle: state',
    edits: [edit(STATE, 'alarms: state.alarms.list(),', 'alarms: [],')],
  },
  {
    name: 'auth-left-out-of-checkpoint',
    area: 'snapshot',
    story: 'checkpoints hold no users and roles: after a restart everybody may do everything',
    expected: 'oracle: state',
    edits: [
      edit(
        STATE,
        '    auth,\n    clusterVersion: state.clusterVersion,',
        `    auth: { ...auth, enabled: false, users: [], roles: [] },
    clusterVersion: state.clusterVersion,`,
      ),
    ],
  },
  {
    name: 'auth-revision-left-out-of-checkpoint',
    area: 'snapshot',
    story:
      'checkpoints hold users but not the revision of the changes: a restart accepts old tokens',
    expected: 'oracle: state',
    edits: [
      edit(
        BUCKETS,
        '[utf8Encode(AUTH_REVISION), encodeBigEndian(revision)],',
        '[utf8Encode(AUTH_REVISION), encodeBigEndian(Math.min(revision, 1))],',
      ),
    ],
  },
  {
    name: 'logged-lease-time-left-out-of-checkpoint',
    area: 'snapshot',
    story: 'checkpoints hold leases as granted: what was logged of their time is forgotten',
    expected: 'oracle: state',
    edits: [
      edit(
        BUCKETS,
        'RemainingTTL: BigInt(remainingTtlS) };',
        'RemainingTTL: BigInt(Math.min(remainingTtlS, 0)) };',
      ),
    ],
  },
  {
    name: 'permission-type-mixed-up',
    area: 'snapshot',
    story: 'a restart takes the permission to read for that to write, and the reverse',
    expected: 'oracle: state',
    edits: [
      edit(
        BUCKETS,
        `PermissionType[] = ['read', 'write', 'readWrite'];`,
        `PermissionType[] = ['write', 'read', 'readWrite'];`,
      ),
    ],
  },
];

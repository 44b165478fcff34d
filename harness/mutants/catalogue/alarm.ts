/** Mistakes in alarms and in the quota that raises them. */
import { edit, type Mutant } from '../mutant.ts';

const ALARMS = 'src/member/alarms.ts';
const APPLY_REQUEST = 'src/member/apply-request.ts';
const QUOTA = 'src/service/quota.ts';

export const ALARM_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-space-not-checked-when-applied',
    area: 'alarm',
    story: 'under NOSPACE only the member asked refuses: what was on its way is still written',
    expected: 'oracle: answer',
    edits: [edit(APPLY_REQUEST, `return grows ? 'noSpace' : undefined;`, 'return undefined;')],
  },
  {
    name: 'no-space-refuses-deletes',
    area: 'alarm',
    story: 'under NOSPACE deletions are refused, too: nobody can make room',
    expected: 'oracle: answer',
    edits: [
      edit(
        APPLY_REQUEST,
        `kind === 'put' || kind === 'leaseGrant' || (kind`,
        `kind === 'put' || kind === 'deleteRange' || kind === 'leaseGrant' || (kind`,
      ),
    ],
  },
  {
    name: 'no-space-asks-one-branch',
    area: 'alarm',
    story: 'under NOSPACE a transaction whose failure branch puts is let through',
    expected: 'oracle: answer',
    edits: [
      edit(
        APPLY_REQUEST,
        'return [...request.success, ...request.failure].some(',
        'return request.success.some(',
      ),
    ],
  },
  {
    name: 'alarm-put-off-for-all',
    area: 'alarm',
    story: 'putting off one member’s alarm puts off those of all members',
    expected: 'oracle: state',
    edits: [
      edit(
        ALARMS,
        '(active) => active.type === type && active.memberId === memberId',
        '(active) => active.type === type',
      ),
    ],
  },
  {
    name: 'quota-raises-no-alarm',
    area: 'alarm',
    story: 'a member over its quota refuses by itself and tells nobody: the others write on',
    expected: 'liveness: progress',
    edits: [edit(QUOTA, '    void this.#raise();\n', '')],
  },
];

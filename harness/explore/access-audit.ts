/**
 * What users were shown or could change lies within all that anybody ever asked to grant them.
 * Permissions may come and go meanwhile: only what nobody gave at any time is certainly too much.
 */
import { KeyIntervals, type KeyRange } from '../../src/auth/key-intervals.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { RequestOp, TxnRequest, TxnResult } from '../../src/mvcc/request.ts';
import type { AuthChange } from '../../workloads/full-client.ts';
import { ROOT } from './login.ts';

export interface Touched extends KeyRange {
  readonly how: 'read' | 'write';
}

export class AccessAudit {
  readonly #rolesOf = new Map<string, Set<string>>();
  readonly #grants: { readonly role: string; readonly touched: Touched }[] = [];
  #isOn = false;
  #mayBeOff = false;

  /** Authentication was switched on for sure, and nobody ever asked to switch it off. */
  get isOn(): boolean {
    return this.#isOn && !this.#mayBeOff;
  }

  /** Before anybody can know whether it was done. */
  asked(change: AuthChange): void {
    if (change.type === 'disable') this.#mayBeOff = true;
    if (change.type === 'grantRole') {
      const roles = this.#rolesOf.get(change.user) ?? new Set();
      this.#rolesOf.set(change.user, roles.add(change.role));
    }
    if (change.type !== 'grant') return;
    const { role, permission, key, rangeEnd } = change;
    if (permission !== 'write')
      this.#grants.push({ role, touched: { how: 'read', key, rangeEnd } });
    if (permission !== 'read')
      this.#grants.push({ role, touched: { how: 'write', key, rangeEnd } });
  }

  done(change: AuthChange): void {
    if (change.type === 'enable') this.#isOn = true;
  }

  /** In words, what of it the user had no business with; of an answer to who asked while it was on. */
  denied(user: string, touched: readonly Touched[]): string | undefined {
    const roles = this.#rolesOf.get(user) ?? new Set();
    if (user === ROOT || roles.has(ROOT)) return undefined;
    for (const { how, key, rangeEnd } of touched) {
      const granted = this.#grants.filter((one) => roles.has(one.role) && one.touched.how === how);
      const intervals = new KeyIntervals(granted.map((one) => one.touched));
      if (intervals.covers(key, rangeEnd)) continue;
      const until = rangeEnd.length === 0 ? '' : ` to ${utf8Decode(rangeEnd)}`;
      return `a ${how} of ${utf8Decode(key)}${until}, which nobody had granted to ${user}`;
    }
    return undefined;
  }
}

/** What the transaction did: its guards, and the branch that was taken, however deep. */
export function touchedBy(request: TxnRequest, result: TxnResult): Touched[] {
  const guards = request.compare.map(
    ({ key, rangeEnd }): Touched => ({ how: 'read', key, rangeEnd }),
  );
  const ops = result.succeeded ? request.success : request.failure;
  return [
    ...guards,
    ...ops.flatMap((op, at) => {
      const response = result.responses[at];
      if (op.type !== 'txn') return touchedByOp(op);
      return response?.type === 'txn' ? touchedBy(op.request, response.result) : [];
    }),
  ];
}

export function touchedByOp(op: Exclude<RequestOp, { readonly type: 'txn' }>): Touched[] {
  const { key } = op.request;
  if (op.type === 'range') return [{ how: 'read', key, rangeEnd: op.request.rangeEnd }];
  const rangeEnd = op.type === 'put' ? EMPTY_BYTES : op.request.rangeEnd;
  const write: Touched = { how: 'write', key, rangeEnd };
  return op.request.prevKv ? [write, { how: 'read', key, rangeEnd }] : [write];
}

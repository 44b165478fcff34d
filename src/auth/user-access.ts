import { KeyIntervals } from './key-intervals.ts';
import type { Permission } from './request.ts';

/** Whoever has this role may do everything, whatever permissions are given to it. */
export const ROOT_ROLE = 'root';

/** What the roles of one user add up to. */
export class UserAccess {
  readonly isRoot: boolean;
  readonly #read: KeyIntervals;
  readonly #write: KeyIntervals;

  /** A role that does not exist gives nothing. */
  constructor(
    roles: readonly string[],
    permissionsOf: (role: string) => readonly Permission[] | undefined,
  ) {
    this.isRoot = roles.includes(ROOT_ROLE);
    const permissions = roles.flatMap((role) => permissionsOf(role) ?? []);
    this.#read = new KeyIntervals(permissions.filter(({ type }) => type !== 'write'));
    this.#write = new KeyIntervals(permissions.filter(({ type }) => type !== 'read'));
  }

  mayRead(key: Uint8Array, rangeEnd: Uint8Array): boolean {
    return this.isRoot || this.#read.covers(key, rangeEnd);
  }

  mayWrite(key: Uint8Array, rangeEnd: Uint8Array): boolean {
    return this.isRoot || this.#write.covers(key, rangeEnd);
  }
}

/**
 * Who may be answered at all, and who may be shown what: by the users, roles and permissions that
 * the committed log gives. What is written is judged by the model, which refuses it itself.
 */
import type { Index } from '../../../src/lib/ids.ts';
import { permitsKeys, takenBack } from './auth-model.ts';
import type { Oracle } from './oracle.ts';

/** Of a call: who it was in the name of. */
export interface Asker {
  /** Undefined: nobody was logged in. */
  readonly user: string | undefined;
  /** The log index of the login that its token is of. */
  readonly login: Index | undefined;
}

/** Keys in etcd's convention for range ends. */
interface Keys {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/**
 * In words, if some of the ranges were shown and must not have been at any of the indexes, of
 * which the first is the one of the answer.
 */
export function wronglyShown(
  oracle: Oracle,
  { user }: Asker,
  indexes: readonly Index[],
  ranges: readonly Keys[],
): string | undefined {
  const mayRead = (index: Index): boolean => {
    const auth = oracle.authAt(index);
    const info = user === undefined ? undefined : { username: user, revision: auth.revision };
    return ranges.every((keys) => permitsKeys(auth, info, 'read', keys));
  };
  if (indexes.some(mayRead)) return undefined;
  return `${user ?? 'nobody'} was shown keys that they may not read at index ${indexes[0]}`;
}

/**
 * In words, if the asker's token had been taken back when the call reached a member that had
 * applied `arrived`, and the call was answered all the same, at `applied`. Nobody is asked for a
 * token while authentication is off, be it for a moment in between.
 */
export function wronglyAccepted(
  oracle: Oracle,
  { user, login }: Asker,
  { arrived, applied }: { readonly arrived: Index; readonly applied: Index },
): string | undefined {
  if (user === undefined || login === undefined || arrived <= login) return undefined;
  const times = takenBack(oracle.authAt(arrived), user);
  if (times === takenBack(oracle.authAt(login), user)) return undefined;
  for (let index = arrived; index <= applied; index++) {
    if (!oracle.authAt(index).enabled) return undefined;
  }
  return `${user} was answered at index ${applied} with a token of index ${login}, taken back since`;
}

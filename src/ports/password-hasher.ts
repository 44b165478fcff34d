import type { Result } from '../lib/result.ts';

/**
 * Hashing costs tens of milliseconds of computing on purpose, so whoever implements this does
 * it elsewhere than on the thread that serves requests.
 */
export interface PasswordHasher {
  /** bcrypt's text form, `$2b$` and the cost in front. Another text each time. */
  hash(password: string): Promise<Result<string, HasherFailure>>;
  /** Whether the hash is of this password; false for a hash that is none. */
  compare(password: string, hash: string): Promise<Result<boolean, HasherFailure>>;
}

export type HasherFailure =
  /** As many as may wait do so already. */
  'tooManyRequests' | 'stopped';

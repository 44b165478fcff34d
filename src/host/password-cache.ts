import { createHmac, randomBytes } from 'node:crypto';

/** Pairs remembered; one more makes the cache forget the one seen longest ago. */
export const VERIFIED_PASSWORDS_MAX = 1024;

/**
 * Passwords that were found to fit a hash, so that a client that logs in again costs no bcrypt.
 * Kept as digests under a key that nobody outside the process has. A changed password has
 * another hash, so what was remembered of the old one is simply never asked for again.
 */
export class PasswordCache {
  readonly #key = randomBytes(32);
  readonly #verified = new Set<string>();
  readonly #max: number;

  constructor(max: number = VERIFIED_PASSWORDS_MAX) {
    this.#max = max;
  }

  digest(password: string, hash: string): string {
    const mac = createHmac('sha256', this.#key);
    // The hash comes with its length, so no other pair gives the same text.
    return mac.update(`${hash.length} ${hash}${password}`).digest('base64');
  }

  has(digest: string): boolean {
    if (!this.#verified.delete(digest)) return false;
    this.#verified.add(digest);
    return true;
  }

  add(digest: string): void {
    this.#verified.add(digest);
    if (this.#verified.size <= this.#max) return;
    for (const oldest of this.#verified) {
      this.#verified.delete(oldest);
      return;
    }
  }
}

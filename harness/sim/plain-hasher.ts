/** Hashes that cost nothing and hide nothing, in place of those that need a thread of their own. */
import { crc32c } from '../../src/lib/crc32c.ts';
import { ok, type Result } from '../../src/lib/result.ts';
import type { HasherFailure, PasswordHasher } from '../../src/ports/password-hasher.ts';
import type { Digest } from '../../src/service/snapshot-stream.ts';

const PREFIX = '$plain$';

export class PlainHasher implements PasswordHasher {
  async hash(password: string): Promise<Result<string, HasherFailure>> {
    return ok(PREFIX + password);
  }

  async compare(password: string, hash: string): Promise<Result<boolean, HasherFailure>> {
    return ok(hash === PREFIX + password);
  }
}

/** As long as SHA-256's. */
export const SUM_BYTES = 32;

export function plainDigest(): Digest {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32c(bytes, crc);
    },
    sum: () => new Uint8Array(SUM_BYTES).fill(crc & 0xff),
  };
}

import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../ports/random.ts';

/** The operating system's randomness; forks are independent by nature. */
export class SystemRandom implements Random {
  below(bound: number): number {
    return randomInt(bound);
  }

  uint64(): bigint {
    return randomBytes(8).readBigUInt64LE();
  }

  fork(_name: string): Random {
    return this;
  }
}

/** Everything the fuzzer leaves to chance, from one seed. */
import { smallRandom } from '../support/small-random.ts';

export interface Chance {
  /** An integer from 0 up to but not including `bound`. */
  below(bound: number): number;
  /** True about once in `times`. */
  oneIn(times: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  bytes(count: number): Buffer;
  bigint(): bigint;
}

export function chanceOf(seed: number): Chance {
  const random = smallRandom(seed);
  const below = (bound: number): number => random.below(bound);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (values) => values[below(values.length)]!,
    bytes: (count) => Buffer.from(Uint8Array.from({ length: count }, () => below(256))),
    bigint: () => (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32)),
  };
}

/** Bytes that decoders trip over. */
const ODD_BYTES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** The bytes with one to four faults: flips, cuts, repeats, insertions, odd values. */
export function mutate(chance: Chance, bytes: Uint8Array): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let faults = 1 + chance.below(4); faults > 0; faults--)
    mutated = mutateOnce(chance, mutated);
  return mutated;
}

function mutateOnce(chance: Chance, bytes: Buffer): Buffer {
  if (bytes.length === 0) return chance.bytes(1 + chance.below(8));
  const at = chance.below(bytes.length);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (chance.below(6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << chance.below(8);
      return flipped;
    }
    case 1: {
      const odd = Buffer.from(bytes);
      odd[at] = chance.pick(ODD_BYTES);
      return odd;
    }
    case 2:
      return Buffer.from(head);
    case 3:
      return Buffer.concat([head, tail.subarray(0, 16), tail]);
    case 4:
      return Buffer.concat([head, chance.bytes(1 + chance.below(12)), tail]);
    default:
      return Buffer.concat([head, tail.subarray(1 + chance.below(8))]);
  }
}

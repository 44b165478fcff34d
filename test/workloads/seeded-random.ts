/** A small seeded Random for tests of generators: same seed, same draws, on every machine. */
import type { Random } from '../../src/ports/random.ts';

export function testRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    uint64: () => (BigInt(next()) << 32n) | BigInt(next()),
    fork: (name) =>
      testRandom([...name].reduce((hash, letter) => hash * 31 + letter.charCodeAt(0), seed)),
  };
}

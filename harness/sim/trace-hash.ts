/** A running hash of everything that happens: two runs with one hash did the same. */

/** Two independent 32-bit lanes, each mixed with every value; order matters. */
export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  /** Any number; fractions and what exceeds 2^53 are cut. */
  number(value: number): void {
    this.#word(value | 0);
    this.#word(Math.floor(value / 2 ** 32) | 0);
  }

  text(value: string): void {
    for (let at = 0; at < value.length; at++) this.#word(value.charCodeAt(at));
    this.#word(value.length);
  }

  bytes(value: Uint8Array): void {
    for (const byte of value) this.#word(byte);
    this.#word(value.length);
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #word(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high + word, 0x85ebca6b) ^ (this.#high >>> 13);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

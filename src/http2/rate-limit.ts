/** So many at once, and so many a second on average. */
export class RateLimit {
  readonly #burst: number;
  readonly #perS: number;
  #left: number;
  #atNs: number;

  constructor(limits: { readonly burst: number; readonly perS: number }, nowNs: number) {
    this.#burst = limits.burst;
    this.#perS = limits.perS;
    this.#left = limits.burst;
    this.#atNs = nowNs;
  }

  /** False: one too many. */
  take(nowNs: number): boolean {
    const earned = ((nowNs - this.#atNs) / 1e9) * this.#perS;
    this.#left = Math.min(this.#burst, this.#left + earned) - 1;
    this.#atNs = nowNs;
    return this.#left >= 0;
  }
}

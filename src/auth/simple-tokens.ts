import { assert } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';

/**
 * Tokens that mean something only because members remember them. Every member makes the same
 * token when it applies the login, so it is valid everywhere; each forgets it on its own when it
 * was not used there for a while, and none outlives the process. etcd's simple tokens.
 */

/** Letters before the dot; the log index of the login stands behind it. */
export const TOKEN_PREFIX_LENGTH = 16;

/** A login more makes the member forget the token that was used longest ago. */
export const SIMPLE_TOKENS_MAX = 100_000;

interface Token {
  readonly index: Index;
  readonly username: string;
  usedTick: number;
}

export class SimpleTokens {
  /** By prefix; the one used longest ago first. */
  readonly #tokens = new Map<string, Token>();
  readonly #tokensMax: number;

  constructor(tokensMax: number = SIMPLE_TOKENS_MAX) {
    assert(tokensMax > 0, 'room for a token');
    this.#tokensMax = tokensMax;
  }

  get size(): number {
    return this.#tokens.size;
  }

  assign(prefix: string, index: Index, username: string, nowTick: number): void {
    this.#tokens.delete(prefix);
    this.#tokens.set(prefix, { index, username, usedTick: nowTick });
    if (this.#tokens.size <= this.#tokensMax) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      return;
    }
  }

  /** Whose token it is, which starts its life afresh; undefined: unknown or expired. */
  touch(text: string, nowTick: number, ttlTicks: number): string | undefined {
    this.#expire(nowTick, ttlTicks);
    const parsed = parseSimpleToken(text);
    if (parsed === undefined) return undefined;
    const token = this.#tokens.get(parsed.prefix);
    if (token?.index !== parsed.index) return undefined;
    token.usedTick = nowTick;
    this.#tokens.delete(parsed.prefix);
    this.#tokens.set(parsed.prefix, token);
    return token.username;
  }

  /** The token that a login with this prefix made. */
  madeOf(prefix: string): string | undefined {
    const token = this.#tokens.get(prefix);
    return token && `${prefix}.${token.index}`;
  }

  invalidateUser(username: string): void {
    for (const [prefix, token] of this.#tokens) {
      if (token.username === username) this.#tokens.delete(prefix);
    }
  }

  clear(): void {
    this.#tokens.clear();
  }

  #expire(nowTick: number, ttlTicks: number): void {
    for (const [prefix, { usedTick }] of this.#tokens) {
      if (usedTick + ttlTicks > nowTick) return;
      this.#tokens.delete(prefix);
    }
  }
}

/** Its parts, if the text has the form of a simple token. */
export function parseSimpleToken(
  text: string,
): { readonly prefix: string; readonly index: Index } | undefined {
  const match = /^([A-Za-z]{16})\.(\d{1,15})$/.exec(text);
  return match === null ? undefined : { prefix: match[1]!, index: Number(match[2]) };
}

import type { Result } from '../lib/result.ts';

/** Tokens that say by themselves whose they are: JSON web tokens. */
export interface TokenProvider {
  /** `verifyOnly`: this member has the public key only. */
  sign(claims: TokenClaims): Result<string, 'verifyOnly'>;
  /** undefined: not signed with our key, expired, or no token of ours at all. */
  verify(token: string): TokenClaims | undefined;
}

export interface TokenClaims {
  readonly username: string;
  /** Of the users, roles and permissions when the token was made; a later one refuses it. */
  readonly revision: number;
}

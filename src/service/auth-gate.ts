import type { AuthFailure, AuthInfo } from '../auth/request.ts';
import { parseSimpleToken } from '../auth/simple-tokens.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { MemberError } from '../member/failure.ts';
import type { MemberNode } from '../member/node.ts';
import { type LeaseKeys, refusePermission } from '../member/permission.ts';
import type { TokenProvider } from '../ports/token-provider.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import type { Caller } from './caller.ts';
import { type Access, refuseAccess } from './permission.ts';

/** What the gate needs of a member. */
export type GateNode = Pick<
  MemberNode,
  'auth' | 'nowTick' | 'tickMs' | 'status' | 'readBarrier'
> & { readonly lessor: Pick<MemberNode['lessor'], 'keysOf'> };

/** Who was let in, to be handed on with what is proposed; undefined while nobody is asked. */
export type Admission<Failure> = Result<AuthInfo | undefined, Failure>;

export interface AuthGateOptions {
  /** Undefined: tokens are those that logins made, see {@link SimpleTokens}. */
  readonly signedTokens: TokenProvider | undefined;
  /** How long a token is valid after its last use here; of simple tokens only. */
  readonly tokenTtlMs: number;
}

/** etcd's --auth-token and --auth-token-ttl. */
export const DEFAULT_AUTH_GATE: AuthGateOptions = { signedTokens: undefined, tokenTtlMs: 300_000 };

export const NOBODY_ASKED: Admission<never> = ok(undefined);

/**
 * Who a caller is and what it may do. Every answer is about this turn: what a service reads, it
 * reads in the turn in which it was permitted; what it proposes is checked again when applied.
 */
export class AuthGate {
  readonly #node: GateNode;
  readonly #options: AuthGateOptions;
  readonly #leaseKeys: LeaseKeys;

  constructor(node: GateNode, options: AuthGateOptions = DEFAULT_AUTH_GATE) {
    this.#node = node;
    this.#options = options;
    this.#leaseKeys = (id) => node.lessor.keysOf(id);
  }

  /**
   * A token comes before a certificate, even one that is invalid. A token that a login made a
   * moment ago may be unknown here yet: {@link admit} waits for it.
   */
  identify(caller: Caller): Admission<AuthFailure> {
    const { auth } = this.#node;
    if (!auth.enabled) return NOBODY_ASKED;
    if (caller.token !== undefined) return this.#identifyToken(caller.token);
    const username = caller.commonName;
    if (username === undefined) return err('userEmpty');
    if (auth.user(username) === undefined) return err('permissionDenied');
    return ok({ username, revision: auth.revision });
  }

  /** As {@link identify}, once this member has applied the login that the token is of. */
  async admit(caller: Caller): Promise<Admission<AuthFailure | MemberError>> {
    const now = this.identify(caller);
    if (now.ok || now.error !== 'invalidAuthToken' || !this.#isAhead(caller.token)) return now;
    const barrier = await this.#node.readBarrier();
    return barrier.ok ? this.identify(caller) : barrier;
  }

  /** May the caller read this, in this turn? Without waiting: for services past their barrier. */
  permit(caller: Caller, access: Access): Admission<AuthFailure> {
    const who = this.identify(caller);
    if (!who.ok) return who;
    const denial = refuseAccess(this.#node.auth, access, who.value, this.#leaseKeys);
    return denial === undefined ? who : err(denial);
  }

  /** Nobody is asked who he is, so that nothing need be waited for. */
  get isOpen(): boolean {
    return !this.#node.auth.enabled;
  }

  /** May the caller have this proposed? With the answer, which goes into the log entry. */
  async permitRequest(
    caller: Caller,
    request: InternalRequest,
  ): Promise<Admission<AuthFailure | MemberError>> {
    const who = await this.admit(caller);
    if (!who.ok) return who;
    const denial = refusePermission(this.#node.auth, request, who.value, this.#leaseKeys);
    return denial === undefined ? who : err(denial);
  }

  #identifyToken(token: string): Admission<AuthFailure> {
    const { auth, nowTick, tickMs } = this.#node;
    const { signedTokens, tokenTtlMs } = this.#options;
    if (signedTokens !== undefined) {
      const info = signedTokens.verify(token);
      return info === undefined ? err('invalidAuthToken') : ok(info);
    }
    const username = auth.tokens.touch(token, nowTick, Math.ceil(tokenTtlMs / tickMs));
    if (username === undefined) return err('invalidAuthToken');
    return ok({ username, revision: auth.revision });
  }

  /** Whether a login logged after what this member has applied could have made the token. */
  #isAhead(token: string | undefined): boolean {
    if (token === undefined || this.#options.signedTokens !== undefined) return false;
    const parsed = parseSimpleToken(token);
    return parsed !== undefined && parsed.index > this.#node.status().appliedIndex;
  }
}

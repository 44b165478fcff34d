/** A member as far as authentication goes: applies at once, and lets the test look and meddle. */
import { AuthStore } from '../../src/auth/auth-store.ts';
import type { AuthInfo, AuthRequest } from '../../src/auth/request.ts';
import { assert } from '../../src/lib/assert.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { MemberError, RequestFailure } from '../../src/member/failure.ts';
import type { Applied, MemberStatus } from '../../src/member/node.ts';
import { refusePermission } from '../../src/member/permission.ts';
import type { AuthServiceParts } from '../../src/service/auth.ts';
import type { GateNode } from '../../src/service/auth-gate.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';

export class AuthNode implements GateNode {
  auth: AuthStore = new AuthStore();
  nowTick = 0;
  readonly tickMs = 100;
  /** Keys by lease. */
  readonly leaseKeys: Map<bigint, readonly Uint8Array[]> = new Map();
  readonly lessor: GateNode['lessor'] = { keysOf: (id) => this.leaseKeys.get(id) ?? [] };
  readonly proposed: { readonly request: AuthRequest; readonly info: AuthInfo | undefined }[] = [];
  appliedIndex = 0;
  isLearner = false;
  barrierFailure: MemberError | undefined;
  barriers = 0;
  /** Runs while a barrier is awaited. */
  duringBarrier: () => void = () => {};
  /** Runs behind the application of a proposal, before its outcome is known. */
  afterApply: () => void = () => {};

  async propose(
    request: InternalRequest,
    info?: AuthInfo,
  ): Promise<Result<Applied, RequestFailure>> {
    assert(request.type === 'auth', 'only authentication is proposed here');
    this.proposed.push({ request: request.request, info });
    const denial = refusePermission(this.auth, request, info, () => []);
    if (denial !== undefined) return err(denial);
    const applied = this.apply(request.request);
    this.afterApply();
    return applied.ok ? ok({ result: { type: 'auth' }, revision: 5 }) : applied;
  }

  apply(request: AuthRequest): ReturnType<AuthStore['apply']> {
    this.appliedIndex++;
    return this.auth.apply(request, this.appliedIndex, this.nowTick);
  }

  async readBarrier(): Promise<Result<undefined, MemberError>> {
    this.barriers++;
    this.duringBarrier();
    return this.barrierFailure === undefined ? ok(undefined) : err(this.barrierFailure);
  }

  status(): MemberStatus {
    return {
      clusterId: 0xc1n,
      memberId: 0xabn,
      leader: 0xabn,
      term: 3,
      raftIndex: this.appliedIndex,
      appliedIndex: this.appliedIndex,
      revision: 4,
      dbSizeBytes: 0,
      dbSizeInUseBytes: 0,
      isLearner: this.isLearner,
    };
  }
}

/** The hash of a password is "#" and the password; counts, and meddles while it computes. */
export class PlainHasher {
  hashed = 0;
  compared = 0;
  failure: 'tooManyRequests' | undefined;
  duringCompare: () => void = () => {};

  readonly hash: AuthServiceParts['hasher']['hash'] = async (password) => {
    this.hashed++;
    return this.failure === undefined ? ok(`#${password}`) : err(this.failure);
  };

  readonly compare: AuthServiceParts['hasher']['compare'] = async (password, hash) => {
    this.compared++;
    this.duringCompare();
    return this.failure === undefined ? ok(`#${password}` === hash) : err(this.failure);
  };
}

/**
 * One client's connection to one simulated member: calls of its services over a link with
 * latency. What breaks a connection in reality breaks it here, with the same certainty about the
 * outcome. Where users are asked who they are, the client logs in.
 */
import { create } from '@bufbuild/protobuf';
import { type ClientError, maybeSent, neverSent, timedOut } from '../../src/client/client-error.ts';
import type { Index, Revision } from '../../src/lib/ids.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Random } from '../../src/ports/random.ts';
import { type Call, OpenCall } from '../../src/service/call.ts';
import type { Caller } from '../../src/service/caller.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import { AuthenticateRequestSchema } from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { CallOptions, KvAnswer } from '../../workloads/kv-client.ts';
import { drawNs } from './draw-ns.ts';
import type { LeasePromises } from './lease-promises.ts';
import type { SimLoop } from './loop.ts';
import type { SimNode, SimServices } from './node.ts';
import type { Oracle } from './oracle/oracle.ts';
import type { Between } from './plan.ts';

export interface ClientParts {
  readonly loop: SimLoop;
  readonly random: Random;
  readonly latencyUs: Between;
  readonly nodes: readonly SimNode[];
  readonly oracle: Oracle;
  readonly leases: LeasePromises;
  /** An answer that differs from the oracle's, or a promise that was not kept. */
  readonly onWrong: (
    node: SimNode,
    what: { readonly name: string; readonly detail: string },
  ) => void;
}

/** An answer as it leaves the member. */
export interface Given<Value> {
  readonly revision: Revision;
  readonly result: Value;
  /** How much the member had applied. */
  readonly applied: Index;
  /** When the client asked, in the time of lease promises. */
  readonly askedNs: number;
  /** Who was logged in. */
  readonly user: string | undefined;
}

/** undefined: nothing is wrong. */
export type Check<Value> = (given: Given<Value>) => Wrong | string | undefined;

export interface Wrong {
  readonly name: string;
  readonly detail: string;
}

export type Perform<Value> = (
  services: SimServices,
  call: Call,
) => Promise<Result<KvAnswer<Value>, ServiceError>>;

type Outcome<Value> = Result<KvAnswer<Value>, ClientError>;

/** After one of these, whoever asked has to log in. */
const LOG_IN: ReadonlySet<string> = new Set([
  serviceError('userEmpty').message,
  serviceError('invalidAuthToken').message,
]);

export class ClientLink {
  readonly parts: ClientParts;
  readonly node: SimNode;
  readonly #user: string;
  #token: string | undefined;
  #mustLogIn = false;

  constructor(parts: ClientParts, node: SimNode, user: string) {
    this.parts = parts;
    this.node = node;
    this.#user = user;
  }

  get caller(): Caller {
    return { token: this.#token, commonName: undefined, requireLeader: false };
  }

  async call<Value>(
    { timeoutMs }: CallOptions,
    perform: Perform<Value>,
    check: Check<Value> = () => undefined,
  ): Promise<Outcome<Value>> {
    const { loop } = this.parts;
    const startNs = loop.nowNs;
    if (this.#mustLogIn) await this.#logIn(timeoutMs);
    const leftMs = timeoutMs - (loop.nowNs - startNs) / 1e6;
    if (leftMs <= 0) return err(timedOut({ sent: false }));
    const outcome = await this.#call(leftMs, perform, check);
    if (!outcome.ok && LOG_IN.has(outcome.error.message)) this.#mustLogIn = true;
    return outcome;
  }

  latencyNs(): number {
    return drawNs(this.parts.random, this.parts.latencyUs);
  }

  /** Everybody's password is their name. */
  async #logIn(timeoutMs: number): Promise<void> {
    const request = create(AuthenticateRequestSchema, { name: this.#user, password: this.#user });
    this.#token = undefined;
    const answer = await this.#call<string>(timeoutMs, async (services, { caller }) => {
      const made = await services.auth.authenticate(request, caller);
      return made.ok ? ok({ header: { revision: 0 }, result: made.value.token }) : made;
    });
    if (!answer.ok) return;
    this.#token = answer.value.result;
    this.#mustLogIn = false;
  }

  #call<Value>(
    timeoutMs: number,
    perform: Perform<Value>,
    check: Check<Value> = () => undefined,
  ): Promise<Outcome<Value>> {
    const { loop, leases } = this.parts;
    const { node } = this;
    const open = new OpenCall(this.caller);
    const user = this.#token === undefined ? undefined : this.#user;
    const askedNs = leases.now();
    return new Promise((resolve) => {
      let hangUp = (): void => undefined;
      const deadline = loop.schedule(timeoutMs * 1e6, () => {
        resolve(err(timedOut({ sent: true })));
        hangUp();
      });
      const arrive = (outcome: Outcome<Value>): void => {
        loop.schedule(this.latencyNs(), () => {
          deadline[Symbol.dispose]();
          resolve(outcome);
        });
      };
      loop.schedule(this.latencyNs(), () => {
        const { life } = node;
        if (life?.serving === undefined) return arrive(err(neverSent('connection refused')));
        const broken = (): void => arrive(err(maybeSent('connection lost')));
        life.onEnd.add(broken);
        const { services, member } = life.serving;
        // The member hears that nobody waits any more.
        hangUp = () => life.process.schedule(this.latencyNs(), () => open.end());
        life.process.schedule(0, () => {
          const answered = perform(services, open).then(
            (answer) => {
              // The process may have died over it.
              if (!life.onEnd.delete(broken)) return;
              open.end();
              if (!answer.ok) return arrive(answer);
              const { header, result } = answer.value;
              const { applied } = member.machine;
              this.#judge(check({ revision: header.revision, result, applied, askedNs, user }));
              arrive(ok(answer.value));
            },
            (error: unknown) => {
              if (!life.onEnd.delete(broken)) return;
              this.#judge(`the service threw ${String(error)}`);
              broken();
            },
          );
          // A check that throws ends the simulation.
          answered.catch((error: unknown) => {
            loop.schedule(0, () => {
              throw error;
            });
          });
        });
      });
    });
  }

  #judge(wrong: Wrong | string | undefined): void {
    if (wrong === undefined) return;
    const what = typeof wrong === 'string' ? { name: 'answer', detail: wrong } : wrong;
    this.parts.onWrong(this.node, what);
  }
}

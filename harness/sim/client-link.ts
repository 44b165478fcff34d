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
import type { Asker } from './oracle/access-audit.ts';
import type { Oracle } from './oracle/oracle.ts';
import type { Between } from './plan.ts';

export interface ClientParts {
  readonly loop: SimLoop;
  readonly random: Random;
  readonly latencyUs: Between;
  readonly nodes: readonly SimNode[];
  readonly oracle: Oracle;
  readonly leases: LeasePromises;
  /** Answers on their way to a client that watches, above which the member should wait. */
  readonly watchUntakenMax: number;
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
  /** How much the member had applied, when it was asked and when it answered. */
  readonly arrived: Index;
  readonly applied: Index;
  /** When the client asked, in the time of lease promises. */
  readonly askedNs: number;
  /** What was committed, by whoever's word, when the client asked. */
  readonly committed: Index;
  readonly asker: Asker;
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

/** For one call. */
const LOGINS_MAX = 1;
const NO_SPACE = serviceError('noSpace').message;

/** etcd writes what it then refuses for its size; our server refuses first, and the model knows. */
function asOurs(error: ServiceError): ServiceError {
  return error.message === NO_SPACE ? { ...error, definite: true } : error;
}

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

  /** By the token that would be sent now. */
  get asker(): Asker {
    const token = this.#token;
    if (token === undefined) return { user: undefined, login: undefined };
    // A simple token ends in the log index of its login.
    return { user: this.#user, login: Number(token.slice(token.indexOf('.') + 1)) };
  }

  async call<Value>(
    { timeoutMs }: CallOptions,
    perform: Perform<Value>,
    check: Check<Value> = () => undefined,
  ): Promise<Outcome<Value>> {
    const { loop } = this.parts;
    const untilNs = loop.nowNs + timeoutMs * 1e6;
    const leftMs = (): number => (untilNs - loop.nowNs) / 1e6;
    for (let logins = 0; ; logins++) {
      if (this.#mustLogIn) await this.#logIn(leftMs());
      if (leftMs() <= 0) return err(timedOut({ sent: false }));
      const outcome = await this.#call(leftMs(), perform, check);
      if (outcome.ok || !LOG_IN.has(outcome.error.message)) return outcome;
      this.#mustLogIn = true;
      // As etcd's own clients: log in, and ask once more.
      if (logins === LOGINS_MAX) return outcome;
    }
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
    const { loop, leases, oracle } = this.parts;
    const { node } = this;
    const open = new OpenCall(this.caller);
    const { asker } = this;
    const askedNs = leases.now();
    const { committed } = oracle;
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
          const { applied: arrived } = member.machine;
          const answered = perform(services, open).then(
            (answer) => {
              // The process may have died over it.
              if (!life.onEnd.delete(broken)) return;
              open.end();
              if (!answer.ok) return arrive(err(asOurs(answer.error)));
              const { header, result } = answer.value;
              const { applied } = member.machine;
              const given = { revision: header.revision, result, arrived, applied };
              this.#judge(check({ ...given, askedNs, committed, asker }));
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

/**
 * One user at one member. Whoever is refused for want of a login logs in and asks once more: what
 * is refused so was not done, whatever the code. Everybody's password is their name.
 */
import type { ClientError } from '../../src/client/client-error.ts';
import type { CallOptions, EtcdClient, Outcome } from '../../src/client/etcd-client.ts';
import { callGenerated } from '../../src/client/generated-call.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { HeaderMessage } from '../../src/wire/kv-messages.ts';
import type { Reply } from '../../workloads/kv-client.ts';
import { AUTHENTICATE } from '../scenarios/lab/methods.ts';

/** Who may do everything, and asks without a name until that is refused. */
export const ROOT = 'root';

const WANTS_LOGIN = /user name is empty|invalid auth token|revision of auth store is old/i;
const IS_OFF = /authentication is not enabled/i;

export class Login {
  readonly #client: EtcdClient;
  readonly user: string;
  #token: string | undefined;
  #isWanted: boolean;

  constructor(client: EtcdClient, user: string) {
    this.#client = client;
    this.user = user;
    this.#isWanted = user !== ROOT;
  }

  /** Of a stream that is opened now: what the last call knew. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#token === undefined ? {} : { token: this.#token };
  }

  async call<Value>(
    options: { readonly timeoutMs: number },
    work: (options: CallOptions) => Outcome<Value>,
  ): Reply<Value> {
    const first = await this.#once(options, work);
    if (first.ok || !WANTS_LOGIN.test(first.error.message)) return first;
    this.#token = undefined;
    this.#isWanted = true;
    return this.#once(options, work);
  }

  async #once<Value>(
    options: { readonly timeoutMs: number },
    work: (options: CallOptions) => Outcome<Value>,
  ): Reply<Value> {
    if (this.#isWanted && this.#token === undefined) {
      const refused = await this.#logIn(options);
      if (refused !== undefined) return err({ ...refused, definite: true });
    }
    return answerOf(await work({ ...options, metadata: this.metadata }));
  }

  async #logIn(options: { readonly timeoutMs: number }): Promise<ClientError | undefined> {
    const { user } = this;
    const fields = { name: user, password: user };
    const pick = ({ token }: { readonly token: string }): { readonly token: string } => ({ token });
    const answer = await callGenerated(this.#client, AUTHENTICATE, fields, pick, options);
    if (!answer.ok) return IS_OFF.test(answer.error.message) ? undefined : answer.error;
    this.#token = answer.value.token;
    return undefined;
  }
}

/** The client spreads an answer; workloads keep header and result apart. */
function answerOf<Value extends { readonly header: HeaderMessage }>(
  answered: Result<Value, ClientError>,
): Awaited<Reply<Value>> {
  if (!answered.ok) return answered;
  return ok({ header: answered.value.header, result: answered.value });
}

/** One key-value store in memory behind the interface that workloads use. */
import type { ClientError } from '../../src/client/client-error.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { StoreError } from '../../src/mvcc/request.ts';
import { Store } from '../../src/mvcc/store.ts';
import { isReadOnly } from '../../src/mvcc/txn.ts';
import { serviceError } from '../../src/service/errors.ts';
import type { CallOptions, Connect, KvAnswer, KvClient } from '../../workloads/kv-client.ts';

export class FakeKv {
  readonly store: Store = new Store();
  /** Answers every request with this, while set. */
  error: ClientError | undefined;
  readonly timeoutsMs: number[] = [];
  opened = 0;
  closed = 0;

  readonly connect: Connect = () => {
    this.opened += 1;
    return this.#client();
  };

  #client(): KvClient {
    const { store } = this;
    return {
      range: async (request, options) => this.#reply(options, () => store.range(request)),
      put: async (request, options) => this.#reply(options, () => store.put(request)),
      deleteRange: async (request, options) =>
        this.#reply(options, () => store.deleteRange(request)),
      txn: async (request, options) =>
        this.#reply(options, () =>
          isReadOnly(request) ? store.readTxn(request) : store.txn(request),
        ),
      close: () => {
        this.closed += 1;
      },
    };
  }

  #reply<Value>(
    options: CallOptions,
    perform: () => Result<Value, StoreError>,
  ): Result<KvAnswer<Value>, ClientError> {
    this.timeoutsMs.push(options.timeoutMs);
    if (this.error !== undefined) return err(this.error);
    const result = perform();
    if (!result.ok) return err(serviceError(result.error));
    return ok({ result: result.value, header: { revision: this.store.revision } });
  }
}

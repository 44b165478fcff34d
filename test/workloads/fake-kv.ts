/** One key-value store in memory behind the interface that workloads use. */
import type { ClientError } from '../../src/client/client-error.ts';
import { compareBytes, equalBytes } from '../../src/lib/bytes.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { KeyValue, PutRequest, RangeRequest, RangeResult } from '../../src/mvcc/request.ts';
import type { Connect, KvAnswer, KvClient } from '../../workloads/kv-client.ts';

export class FakeKv {
  readonly #kvs: KeyValue[] = [];
  #revision = 1;
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
    return {
      range: async (request, options) => this.#reply(options, () => this.#range(request)),
      put: async (request, options) =>
        this.#reply(options, () => {
          this.#put(request);
          return { prevKv: undefined };
        }),
      txn: async (request, options) =>
        this.#reply(options, () => {
          const [compare] = request.compare;
          const kv = this.#kvs.find((each) => equalBytes(each.key, compare!.key));
          const operand = compare?.target === 'value' ? compare.operand : new Uint8Array(0);
          const succeeded = kv !== undefined && equalBytes(kv.value, operand);
          const responses = (succeeded ? request.success : request.failure).map((op) => {
            if (op.type === 'range') return { type: op.type, result: this.#range(op.request) };
            if (op.type === 'put') this.#put(op.request);
            return { type: 'put' as const, result: { prevKv: undefined } };
          });
          return { succeeded, responses };
        }),
      close: () => {
        this.closed += 1;
      },
    };
  }

  #reply<Value>(options: { readonly timeoutMs: number }, result: () => Value) {
    this.timeoutsMs.push(options.timeoutMs);
    if (this.error !== undefined) return err(this.error);
    const answer: KvAnswer<Value> = { result: result(), header: { revision: this.#revision } };
    return ok(answer);
  }

  #range(request: RangeRequest): RangeResult {
    const kvs = this.#kvs.filter((kv) =>
      request.rangeEnd.length === 0
        ? equalBytes(kv.key, request.key)
        : compareBytes(kv.key, request.key) >= 0 && compareBytes(kv.key, request.rangeEnd) < 0,
    );
    return { kvs, more: false, count: kvs.length };
  }

  #put({ key, value }: PutRequest): void {
    this.#revision += 1;
    const at = this.#kvs.findIndex((kv) => equalBytes(kv.key, key));
    const modRevision = this.#revision;
    const fresh = { key, value, modRevision, createRevision: modRevision, version: 1, lease: 0n };
    if (at < 0) this.#kvs.push(fresh);
    else this.#kvs[at] = fresh;
  }
}

/** What is asked of the members: a million keys, and a writer that never waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { build, type Histogram } from 'hdr-histogram-js';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { putRequest } from '../../src/client/requests.ts';
import { ok } from '../../src/lib/result.ts';
import type { RequestOp } from '../../src/mvcc/request.ts';
import {
  CompactionRequestSchema,
  CompactionResponseSchema,
  DefragmentResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { fromGeneratedHeader } from '../../src/wire/generated-fields.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';

const VALUE_BYTES = 256;
const LOAD_TIMEOUT_MS = 60_000;
const TRIES_MAX = 20;

/** All keys are as long as each other, and written in an order that is neither up nor down. */
export function keyOf(count: number, keys: number): string {
  return `key-${String((count * 7919) % keys).padStart(10, '0')}`;
}

export interface LoadOptions {
  readonly from: number;
  readonly to: number;
  readonly keys: number;
  /** Puts of one transaction; 1: none. */
  readonly txnOps: number;
  readonly inFlight: number;
}

/** Writes the keys numbered `from` to `to`; resolves with how long it took. */
export async function loadKeys(client: EtcdClient, options: LoadOptions): Promise<number> {
  const startMs = performance.now();
  let next = options.from;
  const write = async (): Promise<void> => {
    while (next < options.to) {
      const from = next;
      next = Math.min(next + options.txnOps, options.to);
      await writeKeys(client, from, next, options.keys);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, write));
  return performance.now() - startMs;
}

async function writeKeys(
  client: EtcdClient,
  from: number,
  to: number,
  keys: number,
): Promise<void> {
  const success = Array.from({ length: to - from }, (_, at): RequestOp => {
    const value = valueFor(from + at);
    return { type: 'put', request: putRequest({ key: keyOf(from + at, keys), value }) };
  });
  for (let tried = 1; ; tried++) {
    const options = { timeoutMs: LOAD_TIMEOUT_MS };
    const answer =
      success.length === 1
        ? await client.put({ key: keyOf(from, keys), value: valueFor(from) }, options)
        : await client.txn({ compare: [], success, failure: [] }, options);
    if (answer.ok) return;
    if (tried === TRIES_MAX) throw new Error(`load: ${answer.error.message}`);
    await sleep(100);
  }
}

/** Not compressible to nothing, and another one each time. */
function valueFor(count: number): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES);
  let state = (count + 1) >>> 0;
  for (let at = 0; at < VALUE_BYTES; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    value[at] = state >>> 24;
  }
  return value;
}

/** What was sent in some stretch of time, whenever it is answered. */
export interface SentPuts {
  /** In microseconds. */
  readonly latency: Histogram;
  /** By what was said of them. */
  readonly failed: Map<string, number>;
  inFlight: number;
}

/** Puts at fixed times, whether or not earlier ones were answered; latency from those times. */
export class SteadyWriter {
  readonly #client: EtcdClient;
  readonly #perSecond: number;
  readonly #keys: number;
  #puts: SentPuts = noPuts();
  #sent = 0;
  readonly #startMs: number = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(endpoint: string, options: { perSecond: number; keys: number }) {
    this.#client = new EtcdClient({ endpoint, timeoutMs: 120_000, requestsMax: 1_000_000 });
    this.#perSecond = options.perSecond;
    this.#keys = options.keys;
    this.#timer = setInterval(() => this.#sendDue(), 1);
  }

  /** What was sent since the last call; resolves when all of it is answered. */
  async take(): Promise<SentPuts> {
    const puts = this.#puts;
    this.#puts = noPuts();
    while (puts.inFlight > 0) await sleep(1);
    return puts;
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.take();
    this.#client.close();
  }

  #sendDue(): void {
    const due = Math.floor(((performance.now() - this.#startMs) / 1_000) * this.#perSecond);
    for (; this.#sent < due; this.#sent++) {
      void this.#send(this.#startMs + (this.#sent / this.#perSecond) * 1_000, this.#sent);
    }
  }

  async #send(dueMs: number, count: number): Promise<void> {
    const puts = this.#puts;
    puts.inFlight++;
    const key = keyOf(count * 31, this.#keys);
    const answer = await this.#client.put({ key, value: valueFor(count) });
    puts.inFlight--;
    if (answer.ok) puts.latency.recordValue(Math.round((performance.now() - dueMs) * 1_000));
    else puts.failed.set(answer.error.message, (puts.failed.get(answer.error.message) ?? 0) + 1);
  }
}

/** Adds `more` to `puts`; all of it is answered. */
export function addPuts(puts: SentPuts, more: SentPuts): void {
  puts.latency.add(more.latency);
  for (const [reason, count] of more.failed) {
    puts.failed.set(reason, (puts.failed.get(reason) ?? 0) + count);
  }
}

function noPuts(): SentPuts {
  return { latency: build({ highestTrackableValue: 600_000_000 }), failed: new Map(), inFlight: 0 };
}

/** Resolves when the rows are gone. */
export async function compactAll(client: EtcdClient): Promise<void> {
  const status = await client.status();
  if (!status.ok) throw new Error(`status: ${status.error.message}`);
  const request = { revision: BigInt(status.value.header.revision), physical: true };
  const frame = frameMessage(
    toBinary(CompactionRequestSchema, create(CompactionRequestSchema, request)),
  );
  const answer = await client.call(
    'etcdserverpb.KV/Compact',
    frame,
    (bytes) =>
      ok({
        header: fromGeneratedHeader(fromBinary(CompactionResponseSchema, bytes).header),
        result: {},
      }),
    { timeoutMs: 600_000 },
  );
  if (!answer.ok) throw new Error(`compaction: ${answer.error.message}`);
}

export async function defragment(client: EtcdClient): Promise<void> {
  const answer = await client.call(
    'etcdserverpb.Maintenance/Defragment',
    frameMessage(new Uint8Array(0)),
    (bytes) =>
      ok({
        header: fromGeneratedHeader(fromBinary(DefragmentResponseSchema, bytes).header),
        result: {},
      }),
    { timeoutMs: 600_000 },
  );
  if (!answer.ok) throw new Error(`defragment: ${answer.error.message}`);
}

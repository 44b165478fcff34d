/**
 * All of etcd's KV service over a few keys: puts, deletes, transactions and ranges in most of
 * their forms. What they answer is judged by who knows what was committed (a simulator's oracle);
 * from the history alone, only their revisions are. A completion's value is the invocation's and
 * a few words on the answer: `succeeded`, `wrote`, `deleted`, `count` and the like.
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { revisionChecker } from '../../checkers/revisions.ts';
import { assert, assertNever } from '../../src/lib/assert.ts';
import type { Revision } from '../../src/lib/ids.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { PutResult, RangeResult, ResponseOp, TxnResult } from '../../src/mvcc/request.ts';
import { isReadOnly } from '../../src/mvcc/txn.ts';
import type { Invocation } from '../generator/generator.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY } from '../generator/sequence.ts';
import {
  type CallOptions,
  type Connect,
  completed,
  failedRead,
  failedWrite,
  type KvClient,
} from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';
import { KV_FS, KV_OPTIONS, type KvOptions, kvGenerator } from './kv-generator.ts';
import { deleteOf, putOf, rangeOf, txnOf } from './kv-request.ts';

/** Answers are judged while they come; nothing is left to be settled at the end. */
export function kvWorkload(
  connect: Connect,
  pace: Pace,
  options: KvOptions = KV_OPTIONS,
): Workload {
  return {
    name: 'kv',
    fs: KV_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, kvGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [revisionChecker()],
  };
}

/** One process's: what it has seen decides which revisions it means. */
class Client implements WorkloadClient {
  readonly #kv: KvClient;
  /** 0: none yet. */
  #seen: Revision = 0;

  constructor(kv: KvClient) {
    this.#kv = kv;
  }

  async invoke(op: Invocation, timeoutMs: number): Promise<Completion> {
    const completion = await perform(this.#kv, op, this.#seen, { timeoutMs });
    if (completion.type === 'ok') this.#seen = Math.max(this.#seen, completion.revision ?? 0);
    return completion;
  }

  close(): void {
    this.#kv.close();
  }
}

function perform(
  kv: KvClient,
  { f, value }: Invocation,
  seen: Revision,
  options: CallOptions,
): Promise<Completion> {
  if (f === 'kv-put') return put(kv, value, options);
  if (f === 'kv-delete') return deleteRange(kv, value, options);
  if (f === 'kv-range') return range(kv, value, seen, options);
  assert(f === 'kv-txn', `bad ${f}`);
  return txn(kv, value, seen, options);
}

async function put(kv: KvClient, asked: Json, options: CallOptions): Promise<Completion> {
  const reply = await kv.put(putOf(asked), options);
  if (!reply.ok) return failedWrite(reply.error);
  const { header, result } = reply.value;
  return completed(extended(asked, previousIn(result)), header.revision);
}

async function deleteRange(kv: KvClient, asked: Json, options: CallOptions): Promise<Completion> {
  const reply = await kv.deleteRange(deleteOf(asked), options);
  if (!reply.ok) return failedWrite(reply.error);
  const { header, result } = reply.value;
  return completed(extended(asked, { deleted: result.deleted }), header.revision);
}

async function range(
  kv: KvClient,
  asked: Json,
  seen: Revision,
  options: CallOptions,
): Promise<Completion> {
  const request = rangeOf(asked, seen);
  const reply = await kv.range(request, options);
  if (!reply.ok) return failedRead(reply.error);
  const { header, result } = reply.value;
  // A revision that was asked for relative to others is told as it was meant.
  const at = request.revision > 0 ? { at: request.revision } : undefined;
  return completed(extended(asked, { ...shown(result), ...at }), header.revision);
}

async function txn(
  kv: KvClient,
  asked: Json,
  seen: Revision,
  options: CallOptions,
): Promise<Completion> {
  const request = txnOf(asked, seen);
  const reply = await kv.txn(request, options);
  if (!reply.ok) return isReadOnly(request) ? failedRead(reply.error) : failedWrite(reply.error);
  const { header, result } = reply.value;
  const told = { ...toldOf(result), wrote: hasWritten(result) };
  return completed(extended(asked, told), header.revision);
}

function toldOf(result: TxnResult): { readonly [field: string]: Json } {
  return { succeeded: result.succeeded, responses: result.responses.map(inShort) };
}

function inShort(response: ResponseOp): Json {
  switch (response.type) {
    case 'put':
      return previousIn(response.result);
    case 'deleteRange':
      return { deleted: response.result.deleted };
    case 'range':
      return shown(response.result);
    case 'txn':
      return toldOf(response.result);
    default:
      return assertNever(response);
  }
}

/** Whether it made a revision of its own. */
function hasWritten(result: TxnResult): boolean {
  return result.responses.some((response) => {
    if (response.type === 'put') return true;
    if (response.type === 'deleteRange') return response.result.deleted > 0;
    return response.type === 'txn' && hasWritten(response.result);
  });
}

function shown({ kvs, count }: RangeResult): { readonly [field: string]: Json } {
  return { count, shown: kvs.length };
}

function previousIn({ prevKv }: PutResult): { readonly [field: string]: Json } {
  return prevKv === undefined ? {} : { previous: utf8Decode(prevKv.value) };
}

function extended(asked: Json, told: { readonly [field: string]: Json }): Json {
  const fields = Object.entries(fieldsOf(asked) ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(fields), ...told };
}

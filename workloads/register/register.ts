/** Registers: linearizable reads, writes and compare-and-sets, one key each. */

import { fieldsOf } from '../../checkers/history/guards.ts';
import { REGISTER_FS } from '../../checkers/models/register-history.ts';
import { registerChecker } from '../../checkers/register.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { TxnRequest } from '../../src/mvcc/request.ts';
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
  valuesIn,
} from '../kv-client.ts';
import type { Completion, Workload } from '../workload.ts';
import { REGISTER_OPTIONS, type RegisterOptions, registerGenerator } from './register-generator.ts';

/** Keys are read while they are in use; nothing is left to be settled at the end. */
export function registerWorkload(
  connect: Connect,
  pace: Pace,
  options: RegisterOptions = REGISTER_OPTIONS,
): Workload {
  return {
    name: 'register',
    fs: REGISTER_FS,
    openClient: (endpoint) => {
      const kv = connect(endpoint);
      return {
        invoke: (op, timeoutMs) => invoke(kv, op, { timeoutMs }),
        close: () => kv.close(),
      };
    },
    generator: stagger(pace, registerGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [registerChecker()],
  };
}

function invoke(kv: KvClient, op: Invocation, options: CallOptions): Promise<Completion> {
  const { key, value, from, to } = fieldsOf(op.value) ?? {};
  assert(typeof key === 'string', `${op.f} without a key`);
  if (op.f === 'read') return read(kv, key, options);
  if (op.f === 'write' && typeof value === 'number') return write(kv, { key, value }, options);
  assert(op.f === 'cas' && typeof from === 'number' && typeof to === 'number', `bad ${op.f}`);
  return compareAndSet(kv, { key, from, to }, options);
}

async function read(kv: KvClient, key: string, options: CallOptions): Promise<Completion> {
  const reply = await kv.range(rangeRequest({ key }), options);
  if (!reply.ok) return failedRead(reply.error);
  const { header, result } = reply.value;
  return completed({ key, value: valuesIn(result)[0] ?? null }, header.revision);
}

async function write(
  kv: KvClient,
  asked: { readonly key: string; readonly value: number },
  options: CallOptions,
): Promise<Completion> {
  const reply = await kv.put(putRequest({ key: asked.key, value: String(asked.value) }), options);
  if (!reply.ok) return failedWrite(reply.error);
  return completed(asked, reply.value.header.revision);
}

/** One transaction; refused, it reads what it met instead, which the checker can use. */
async function compareAndSet(
  kv: KvClient,
  asked: { readonly key: string; readonly from: number; readonly to: number },
  options: CallOptions,
): Promise<Completion> {
  const reply = await kv.txn(swapRequest(asked), options);
  if (!reply.ok) return failedWrite(reply.error);
  const { header, result } = reply.value;
  if (result.succeeded) return completed({ ...asked, swapped: true }, header.revision);
  const [response] = result.responses;
  if (response?.type !== 'range') return completed({ ...asked, swapped: false }, header.revision);
  const value = valuesIn(response.result)[0] ?? null;
  return completed({ ...asked, swapped: false, value }, header.revision);
}

function swapRequest(asked: {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}): TxnRequest {
  const { key, from, to } = asked;
  return {
    compare: [
      {
        key: utf8Encode(key),
        rangeEnd: EMPTY_BYTES,
        result: 'equal',
        target: 'value',
        operand: utf8Encode(String(from)),
      },
    ],
    success: [{ type: 'put', request: putRequest({ key, value: String(to) }) }],
    failure: [{ type: 'range', request: rangeRequest({ key }) }],
  };
}

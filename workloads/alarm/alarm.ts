/**
 * The NOSPACE alarm: put on and off by hand for one member, listed, and raised by members whose
 * quota is full; and what it refuses and what it lets through. Who was right to refuse is judged
 * by who knows what was committed.
 *
 *   alarm        {action: list | activate | deactivate, member}; to put off, 0 is all members
 *   alarm-put    {key, value, bytes}: the value is filled up to so many bytes
 *   alarm-delete {key, rangeEnd}
 *   alarm-txn    {compare, success, failure}: these as in kv-request.ts
 *   alarm-room   {}: compacts, moves together what is left, and puts the alarm off for all
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import type { AlarmClient } from '../full-client.ts';
import { drawWeighted } from '../generator/draw.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat, unfold } from '../generator/sequence.ts';
import { deleteOf, txnOf } from '../kv/kv-request.ts';
import { type CallOptions, completed, failedRead, failedWrite } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const ALARM_FS: readonly string[] = [
  'alarm',
  'alarm-put',
  'alarm-delete',
  'alarm-txn',
  'alarm-room',
];

const KEYS = ['alarm/a', 'alarm/b', 'alarm/c', 'alarm/d'];
const VALUE_BYTES = [0, 100, 1_000];

export interface AlarmOptions {
  /** Members whose alarms are put on and off: 1 to so many. */
  readonly memberCount: number;
}

export function alarmWorkload(
  connect: (endpoint: string) => AlarmClient,
  pace: Pace,
  options: AlarmOptions,
): Workload {
  return {
    name: 'alarm',
    fs: ALARM_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, alarmGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [],
  };
}

function alarmGenerator({ memberCount }: AlarmOptions): Generator {
  const alarms = repeat(({ random }) => ({ f: 'alarm', value: drawAlarm(random, memberCount) }));
  const puts = unfold(1, (value, { random }) => {
    const bytes = oneOf(random, VALUE_BYTES);
    const asked = { key: oneOf(random, KEYS), value: `s${value}`, bytes };
    return { op: { f: 'alarm-put', value: asked }, state: value + 1 };
  });
  const txns = unfold(1, (value, { random }) => {
    return { op: { f: 'alarm-txn', value: drawTxn(random, `x${value}`, 1) }, state: value + 1 };
  });
  const deletes = repeat(({ random }) => {
    const key = oneOf(random, KEYS);
    const asked: Json = random.below(4) === 0 ? { key, rangeEnd: 'alarm0' } : { key };
    return { f: 'alarm-delete', value: asked };
  });
  return mix([
    { weight: 24, generator: alarms },
    { weight: 40, generator: puts },
    { weight: 18, generator: txns },
    { weight: 14, generator: deletes },
    { weight: 4, generator: repeat(() => ({ f: 'alarm-room', value: {} })) },
  ]);
}

/** Put off more often than on: most of what clients ask for is refused in between. */
function drawAlarm(random: Random, memberCount: number): Json {
  const member = 1 + random.below(memberCount);
  switch (drawWeighted(random, [6, 7, 4, 7])) {
    case 0:
      return { action: 'activate', member };
    case 1:
      return { action: 'deactivate', member };
    case 2:
      return { action: 'deactivate', member: 0 };
    default:
      return { action: 'list', member: 0 };
  }
}

/** Some put in one branch only, or deeper, or not at all. */
function drawTxn(random: Random, value: string, nestingLeft: number): Json {
  const branch = (): Json => (random.below(3) === 0 ? [] : [drawOp(random, value, nestingLeft)]);
  const key = oneOf(random, KEYS);
  const result = oneOf(random, ['greater', 'equal']);
  return {
    compare: [{ target: 'version', key, result, operand: 0 }],
    success: branch(),
    failure: branch(),
  };
}

function drawOp(random: Random, value: string, nestingLeft: number): Json {
  const key = oneOf(random, KEYS);
  switch (drawWeighted(random, [40, 25, 15, nestingLeft > 0 ? 20 : 0])) {
    case 0:
      return { op: 'put', key, value };
    case 1:
      return { op: 'delete', key };
    case 2:
      return { op: 'range', key };
    default:
      return { op: 'txn', ...fieldsOf(drawTxn(random, value, nestingLeft - 1)) };
  }
}

function oneOf<Choice>(random: Random, choices: readonly Choice[]): Choice {
  return choices[random.below(choices.length)]!;
}

class Client implements WorkloadClient {
  readonly #client: AlarmClient;

  constructor(client: AlarmClient) {
    this.#client = client;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    const client = this.#client;
    switch (f) {
      case 'alarm':
        return this.#alarm(value, options);
      case 'alarm-put': {
        const { key, value: text, bytes } = fieldsOf(value) ?? {};
        assert(typeof key === 'string' && typeof text === 'string', 'a put has a value');
        assert(typeof bytes === 'number', 'of some size');
        const request = putRequest({ key, value: text.padEnd(bytes, '.') });
        const reply = await client.put(request, options);
        return reply.ok ? completed(value, reply.value.header.revision) : failedWrite(reply.error);
      }
      case 'alarm-delete': {
        const reply = await client.deleteRange(deleteOf(value), options);
        return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
      }
      case 'alarm-txn': {
        const reply = await client.txn(txnOf(value, 0), options);
        return reply.ok ? { type: 'ok', value } : failedWrite(reply.error);
      }
      default:
        assert(f === 'alarm-room', `bad ${f}`);
        return this.#makeRoom(options);
    }
  }

  close(): void {
    this.#client.close();
  }

  async #alarm(value: Json, options: CallOptions): Promise<Completion> {
    const { action, member } = fieldsOf(value) ?? {};
    assert(action === 'list' || action === 'activate' || action === 'deactivate', 'an action');
    assert(typeof member === 'number', 'a member, or 0');
    const isForAll = action === 'deactivate' && member === 0;
    const reply = isForAll
      ? await this.#putOffAll(options)
      : await this.#client.alarm({ action, memberId: BigInt(member) }, options);
    if (!reply.ok) return failedWrite(reply.error);
    const of = reply.value.result.memberIds.map(String);
    return { type: 'ok', value: { action, member, of } };
  }

  /** Each of those that are on; answers as to a list. */
  async #putOffAll(options: CallOptions): ReturnType<AlarmClient['alarm']> {
    const listed = await this.#client.alarm({ action: 'list', memberId: 0n }, options);
    if (!listed.ok) return listed;
    for (const memberId of listed.value.result.memberIds) {
      const off = await this.#client.alarm({ action: 'deactivate', memberId }, options);
      if (!off.ok) return off;
    }
    return listed;
  }

  /** Step by step; what fails is left to the next who tries. */
  async #makeRoom(options: CallOptions): Promise<Completion> {
    const client = this.#client;
    const read = await client.range(rangeRequest({ key: 'alarm/a' }), options);
    if (!read.ok) return failedRead(read.error);
    const { revision } = read.value.header;
    const compacted = await client.compact({ revision, physical: true }, options);
    const moved = await client.defragment(options);
    const off = await this.#putOffAll(options);
    if (!off.ok) return failedWrite(off.error);
    return { type: 'ok', value: { compacted: compacted.ok, moved: moved.ok } };
  }
}

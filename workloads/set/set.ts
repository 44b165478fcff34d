/** A set of numbers, one key each under `set/`: adds, and linearizable reads of the prefix. */

import { fieldsOf } from '../../checkers/history/guards.ts';
import { setChecker } from '../../checkers/set.ts';
import { SET_FS } from '../../checkers/set-history.ts';
import { prefixEnd, putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Invocation } from '../generator/generator.ts';
import { type Pace, stagger } from '../generator/pace.ts';
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
import { SET_OPTIONS, type SetOptions, setFinalGenerator, setGenerator } from './set-generator.ts';

const PREFIX = 'set/';

export function setWorkload(
  connect: Connect,
  pace: Pace,
  options: SetOptions = SET_OPTIONS,
): Workload {
  return {
    name: 'set',
    fs: SET_FS,
    openClient: (endpoint) => {
      const kv = connect(endpoint);
      return {
        invoke: (op, timeoutMs) => invoke(kv, op, { timeoutMs }),
        close: () => kv.close(),
      };
    },
    generator: stagger(pace, setGenerator(options)),
    finalGenerator: setFinalGenerator(options),
    checkers: [setChecker()],
  };
}

function invoke(kv: KvClient, op: Invocation, options: CallOptions): Promise<Completion> {
  if (op.f === 'set-read') return readAll(kv, options);
  const element = fieldsOf(op.value)?.element;
  assert(op.f === 'add' && typeof element === 'number', `bad ${op.f}`);
  return add(kv, element, options);
}

async function add(kv: KvClient, element: number, options: CallOptions): Promise<Completion> {
  const reply = await kv.put(
    putRequest({ key: `${PREFIX}${element}`, value: String(element) }),
    options,
  );
  if (!reply.ok) return failedWrite(reply.error);
  return completed({ element }, reply.value.header.revision);
}

async function readAll(kv: KvClient, options: CallOptions): Promise<Completion> {
  const reply = await kv.range(rangeRequest({ key: PREFIX, rangeEnd: prefixEnd(PREFIX) }), options);
  if (!reply.ok) return failedRead(reply.error);
  const { header, result } = reply.value;
  return completed({ elements: valuesIn(result) }, header.revision);
}

/** A store's keys at one revision against the model's. */
import { compareBytes, equalBytes } from '../../../src/lib/bytes.ts';
import type { Revision } from '../../../src/lib/ids.ts';
import type { KeyValue, RangeRequest } from '../../../src/mvcc/request.ts';
import type { Store } from '../../../src/mvcc/store.ts';
import { difference, inWords } from './difference.ts';
import { Digest } from './digest.ts';
import type { Model } from './kv-model.ts';

/** The model's state at a revision, in short. */
export interface Summary {
  readonly keyCount: number;
  readonly digest: number;
}

/** `summary`: the model's at `revision`. Costs one range over everything while they agree. */
export function storeDifference(
  store: Store,
  model: Model,
  revision: Revision,
  summary: Summary,
): string | undefined {
  const request = everythingAt(revision);
  const answer = store.range(request);
  if (!answer.ok) return `it refuses to be read: ${answer.error}`;
  const { kvs, count } = answer.value;
  const digest = new Digest();
  for (const kv of kvs) digest.add(kv);
  const isSame = kvs.length === summary.keyCount && digest.value === summary.digest;
  if (isSame && count === kvs.length) return outOfOrder(kvs);
  const expected = model.range(request);
  if (!expected.ok) return `the model refuses to be read: ${expected.error}`;
  return (
    keyDifference(kvs, expected.value.kvs) ??
    `it counts ${count} keys and shows ${kvs.length}, the model says ${summary.keyCount}`
  );
}

/** The first key, in the order of the lists, that is not the same in both. */
function keyDifference(
  actual: readonly KeyValue[],
  expected: readonly KeyValue[],
): string | undefined {
  const length = Math.max(actual.length, expected.length);
  for (let at = 0; at < length; at++) {
    const left = actual[at];
    const right = expected[at];
    if (difference(left, right) === undefined) continue;
    if (left !== undefined && right !== undefined && equalBytes(left.key, right.key)) {
      return `${inWords(left.key)}: ${difference(left, right)}`;
    }
    const isMissing =
      left === undefined || (right !== undefined && compareBytes(right.key, left.key) < 0);
    return isMissing
      ? `${inWords(right?.key)} is missing, the model says ${inWords(right)}`
      : `${inWords(left)} is there, the model has no such key`;
  }
  return undefined;
}

function outOfOrder(kvs: readonly KeyValue[]): string | undefined {
  const at = kvs.findIndex((kv, n) => n > 0 && compareBytes(kvs[n - 1]!.key, kv.key) >= 0);
  if (at < 0) return undefined;
  return `${inWords(kvs[at]!.key)} follows ${inWords(kvs[at - 1]!.key)}, which is out of order`;
}

function everythingAt(revision: Revision): RangeRequest {
  return {
    // From the least key there can be, without an end.
    key: Uint8Array.of(0),
    rangeEnd: Uint8Array.of(0),
    limit: 0,
    revision,
    sortOrder: 'none',
    sortTarget: 'key',
    serializable: true,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

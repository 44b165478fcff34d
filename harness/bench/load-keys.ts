/** Fills the store before anything is measured, so that reads find what they ask for. */
import { EtcdClient } from '../../src/client/etcd-client.ts';
import type { RequestOp } from '../../src/mvcc/request.ts';
import { LoadError } from './load.ts';
import { benchKey, benchValue } from './request-template.ts';

/** Below etcd's limit of 128 operations. */
const PUTS_PER_TXN = 100;
const TXNS_IN_FLIGHT = 8;
const TIMEOUT_MS = 30_000;

/** Keys 0 to `keyCount` - 1. Rejects with {@link LoadError}. */
export async function loadKeys(
  endpoint: string,
  { keyCount, valueBytes }: { readonly keyCount: number; readonly valueBytes: number },
): Promise<void> {
  const client = new EtcdClient({ endpoint });
  const value = benchValue(valueBytes);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < keyCount) {
      const from = next;
      next = Math.min(from + PUTS_PER_TXN, keyCount);
      const success = Array.from({ length: next - from }, (_, at) => putOf(from + at, value));
      const answer = await client.txn(
        { compare: [], success, failure: [] },
        { timeoutMs: TIMEOUT_MS },
      );
      if (!answer.ok) throw new LoadError(`loading keys: ${answer.error.message}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: TXNS_IN_FLIGHT }, work));
  } finally {
    client.close();
  }
}

function putOf(number: number, value: Uint8Array): RequestOp {
  const key = benchKey(number);
  return {
    type: 'put',
    request: { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false },
  };
}

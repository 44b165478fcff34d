/**
 * `npm run bench`: what the functions of the hot path cost, each on its own. Figures depend on
 * the machine; compare two versions in one sitting, in turns, and quote ratios.
 */
import { Bench } from 'tinybench';
import { registerChecker } from '../../checkers/register.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { crc32c } from '../../src/lib/crc32c.ts';
import { Store } from '../../src/mvcc/store.ts';
import { decodeLoggedRequest, encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-message.ts';
import { registerHistory } from './register-history.ts';

const VALUE = new Uint8Array(256).fill(120);
const KEYS = 10_000;

const logged = {
  id: 1n,
  request: { type: 'put', request: putRequest({ key: 'key-0001', value: VALUE }) },
} as const;
const loggedBytes = encodeLoggedRequest(logged);
const entries = Array.from({ length: 10 }, (_, position) => ({
  type: 'normal' as const,
  term: 2,
  index: position + 1,
  data: loggedBytes,
}));
const app = {
  type: 'MsgApp',
  from: 1n,
  to: 2n,
  term: 2,
  index: 0,
  logTerm: 0,
  commit: 0,
  entries,
} as const;
const appBytes = encodePeerMessage(app);
const megabyte = new Uint8Array(1024 * 1024);
const history = registerHistory(10_000);
const checker = registerChecker();

const store = new Store();
for (let key = 0; key < KEYS; key++) store.put(putRequest({ key: `key-${key}`, value: VALUE }));
let next = 0;
const nextKey = (): string => `key-${next++ % KEYS}`;

const bench = new Bench({ time: 300, warmupTime: 100 })
  .add('store: overwrite one of 10,000 keys', () => {
    store.put(putRequest({ key: nextKey(), value: VALUE }));
  })
  .add('store: read one of 10,000 keys', () => {
    store.range(rangeRequest({ key: nextKey() }));
  })
  .add('wire: encode a logged put of 256 bytes', () => {
    encodeLoggedRequest(logged);
  })
  .add('wire: decode a logged put of 256 bytes', () => {
    decodeLoggedRequest(loggedBytes);
  })
  .add('wire: encode a MsgApp of 10 entries', () => {
    encodePeerMessage(app);
  })
  .add('wire: decode a MsgApp of 10 entries', () => {
    decodePeerMessage(appBytes);
  })
  .add('wal: crc32c of 1 MiB', () => {
    crc32c(megabyte);
  })
  .add('checker: registers, 10,000 operations', () => {
    checker.check(history);
  });

await bench.run();
process.stdout.write(
  `${bench.tasks
    .map(({ name, result }) => {
      if (result.state !== 'completed') return `${name}: ${result.state}`;
      const { mean, p99 } = result.latency;
      return `${name}: mean ${(mean * 1000).toFixed(2)} µs, p99 ${(p99 * 1000).toFixed(2)} µs`;
    })
    .join('\n')}\n`,
);

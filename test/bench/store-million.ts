/**
 * `node --expose-gc test/bench/store-million.ts [keys]`: what a million keys cost in memory, in
 * time of an operation, and in the longest time that any of them holds up the others. Figures
 * depend on the machine; compare two versions in one sitting, in turns, and quote ratios.
 */
import { rangeRequest } from '../../src/client/requests.ts';
import type { PutRequest } from '../../src/mvcc/request.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import { Store } from '../../src/mvcc/store.ts';

const KEYS = Number(process.argv[2] ?? 1_000_000);
const VALUE = new Uint8Array(256).fill(120);
const MEBIBYTE = 2 ** 20;
const encoder = new TextEncoder();

const OLD_KEY = encoder.encode('key-0000000000');
const NEW_KEY = encoder.encode('key-0000000000-new');

/** Writes the number into a key that is used again, so that the measured time is the store's. */
function numbered(key: Uint8Array, number: number): Uint8Array {
  let left = number;
  for (let at = 13; at > 3; at--) {
    key[at] = 48 + (left % 10);
    left = Math.floor(left / 10);
  }
  return key;
}

/** All keys, in an order that is neither sorted nor reversed. */
function keyOf(count: number): Uint8Array {
  return numbered(OLD_KEY, (count * 7919) % KEYS);
}

function* rows(): Iterable<StoredRevision> {
  for (let at = 0; at < KEYS; at++) {
    const main = at + 2;
    const keyValue = { key: keyOf(at), value: VALUE, version: 1, lease: 0n };
    yield {
      main,
      sub: 0,
      tombstone: false,
      keyValue: { ...keyValue, createRevision: main, modRevision: main },
    };
  }
}

function print(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(34)} ${text}\n`);
}

/** Runs it `times` times, or until it returns false; prints the mean and extremes of one call. */
function measure(name: string, times: number, run: (count: number) => unknown): void {
  const tookMs = new Float64Array(times);
  const start = performance.now();
  let before = start;
  let count = 0;
  for (let goesOn: unknown = true; count < times && goesOn !== false; ) {
    goesOn = run(count);
    const now = performance.now();
    tookMs[count++] = now - before;
    before = now;
  }
  const sorted = tookMs.subarray(0, count).sort();
  const at = (part: number): string => (sorted[Math.floor((count - 1) * part)]! * 1000).toFixed(1);
  const meanUs = (((before - start) / count) * 1000).toFixed(2);
  const extremes = `median ${at(0.5)}, p99 ${at(0.99)}, p99.99 ${at(0.9999)}, max ${at(1)} µs`;
  print(name, `${count} × ${meanUs} µs, ${extremes}`);
}

function printMemory(name: string, store: Store): void {
  // Twice: what the first one frees outside the heap is given back after it.
  globalThis.gc?.();
  globalThis.gc?.();
  const gcStart = performance.now();
  globalThis.gc?.();
  const gcMs = performance.now() - gcStart;
  const { heapUsed, rss } = process.memoryUsage();
  const sizes = [rss, heapUsed, store.allocatedBytes].map((size) => (size / MEBIBYTE).toFixed(0));
  const [rssMiB, heapMiB, ownMiB] = sizes;
  const memory = `RSS ${rssMiB} MiB, heap ${heapMiB} MiB, store ${ownMiB} MiB`;
  print(`memory ${name}`, `${memory}, full GC ${gcMs.toFixed(1)} ms`);
}

const options = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
const oldPut: PutRequest = { key: OLD_KEY, value: VALUE, ...options };
const newPut: PutRequest = { key: NEW_KEY, value: VALUE, ...options };
const get = rangeRequest({ key: OLD_KEY });

const loadStart = performance.now();
const store = Store.restore({ compactRevision: 0, revisions: rows() });
print(`load of ${KEYS} rows`, `${(performance.now() - loadStart).toFixed(0)} ms`);
printMemory('after the load', store);

const random = (count: number): number => (Math.imul(count, 0x9e3779b1) >>> 0) % KEYS;
measure('get', KEYS / 2, (count) => {
  keyOf(random(count));
  store.range(get);
});
measure('update', KEYS / 2, (count) => {
  keyOf(random(count));
  store.put(oldPut);
});
measure('new key', KEYS / 5, (count) => {
  numbered(NEW_KEY, (count * 7907) % KEYS);
  store.put(newPut);
});
printMemory('after the writes', store);

const all = rangeRequest({ key: '\0', rangeEnd: '\0' });
measure('count of all keys', 5, () => {
  store.range({ ...all, countOnly: true });
});
const image = store.image();
measure('image, a row', KEYS, rowByRow(image.revisions()));
image.release();
const opened = store.openRange(all);
if (!opened.ok) throw new Error(opened.error);
measure('cursor, 1,000 keys', 10 * KEYS, () => !opened.value.next(1000, MEBIBYTE).done);
opened.value.release();
const hash = store.hashKvSteps(0);
if (!hash.ok) throw new Error(hash.error);
measure('hashKv, 1,000 rows', 10 * KEYS, () => hash.value.step(1000) === undefined);
measure('compact', 1, () => store.compact(store.revision));
measure('compactStep, 1,000 rows', 10 * KEYS, () => store.compactStep(1000));
printMemory('after the compaction', store);
measure('defragmentStep, 256 KiB', 10 * KEYS, () => store.defragmentStep(256 * 1024));
printMemory('after the defragmentation', store);
measure('delete of a key', KEYS / 10, (count) => {
  store.deleteRange({ key: keyOf(count), rangeEnd: new Uint8Array(0), prevKv: false });
});
store.compact(store.revision);
measure('compactStep of deleted keys', 10 * KEYS, () => store.compactStep(1000));
measure('update after all of it', KEYS / 2, (count) => {
  keyOf(random(count));
  store.put(oldPut);
});
printMemory('at the end', store);

function rowByRow(revisions: Iterable<StoredRevision>): () => boolean {
  const iterator = revisions[Symbol.iterator]();
  return () => iterator.next().done !== true;
}

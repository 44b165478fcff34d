import { expect, test } from 'vitest';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { Store } from '../../src/mvcc/store.ts';
import { WatchHub } from '../../src/mvcc/watch-hub.ts';
import { OpenCall } from '../../src/service/call.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { KeyWatches, type WaitEnd, waitForDelete } from '../../src/service/wait-for-delete.ts';
import { deleteRequest, putRequest } from '../mvcc/requests.ts';
import { settle } from './step-clock.ts';

class Watched {
  readonly store = new Store();
  readonly hub = new WatchHub(this.store);
  readonly watches = new KeyWatches(this.hub);
  readonly call = new OpenCall(ANONYMOUS);
  end: WaitEnd | undefined;
  #tick = 0;

  put(key: string): void {
    this.store.put(putRequest(key));
    this.#notify();
  }

  delete(key: string): void {
    this.store.deleteRange(deleteRequest(key));
    this.#notify();
  }

  wait(from: number, ...keys: string[]): void {
    const encoded = keys.map((key) => utf8Encode(key));
    void waitForDelete(this.watches, encoded, from, this.call).then((end) => {
      this.end = end;
    });
  }

  async tick(): Promise<void> {
    this.#tick += 1;
    this.hub.tick(this.#tick);
    await settle();
  }

  #notify(): void {
    this.hub.notify(this.store.revision, this.store.changesAt(this.store.revision));
  }
}

test('a delete of any of the keys, and nothing else', async () => {
  const watched = new Watched();
  watched.put('a');
  watched.put('b');
  watched.wait(4, 'a', 'b');
  watched.put('a');
  watched.put('c');
  watched.delete('c');
  await watched.tick();
  expect(watched.end).toBeUndefined();
  watched.delete('b');
  await watched.tick();
  expect(watched.end).toBe('changed');
  expect(watched.watches.count).toBe(0);
});

test('a delete that has already happened', async () => {
  const watched = new Watched();
  watched.put('a');
  watched.delete('a');
  watched.put('a');
  watched.wait(3, 'a');
  await watched.tick();
  expect(watched.end).toBe('changed');
});

test('what is compacted away may have been one', async () => {
  const watched = new Watched();
  for (let i = 0; i < 5; i++) watched.put('a');
  watched.store.compact(6);
  watched.wait(3, 'a');
  await watched.tick();
  expect(watched.end).toBe('changed');
  expect(watched.watches.count).toBe(0);
});

test('the client goes away, before or while it waits', async () => {
  for (const isBefore of [true, false]) {
    const watched = new Watched();
    watched.put('a');
    if (isBefore) watched.call.end();
    watched.wait(3, 'a');
    if (!isBefore) watched.call.end();
    await settle();
    expect(watched.end).toBe('over');
    expect(watched.watches.count).toBe(0);
  }
});

test('too many wait already', async () => {
  const watched = new Watched();
  const refused = new KeyWatches({
    open: (outlet, progressTicks) => {
      const stream = watched.hub.open(outlet, progressTicks);
      stream.watch = () => ({ ok: false, error: 'tooManyWatchers' });
      return stream;
    },
  });
  const end = await waitForDelete(refused, [EMPTY_BYTES], 1, watched.call);
  expect(end).toBe('tooManyRequests');
});

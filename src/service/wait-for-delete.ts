/** Waiting for changes of a few keys, as a service waits for its own clients. */
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { WatchHub } from '../mvcc/watch-hub.ts';
import type { WatchEvent, WatchId } from '../mvcc/watch-request.ts';
import type { WatchOutlet, WatchStream } from '../mvcc/watch-stream.ts';
import type { Call } from './call.ts';

/** The part of the watch hub that is needed here. */
export type WatchOpener = Pick<WatchHub, 'open'>;

export interface WatchedKeys {
  readonly key: Uint8Array;
  /** As in a range. */
  readonly rangeEnd: Uint8Array;
  /** Of the first change of interest. */
  readonly startRevision: Revision;
}

export interface KeyWatcher {
  /** In order, none left out. */
  onEvents(events: readonly WatchEvent[]): void;
  /** The last call: some changes of interest are compacted away. Look again what there is. */
  onLost(): void;
}

/** Never: nobody here wants to know that nothing happened. */
const NO_PROGRESS_TICKS = 2 ** 52;

/** All waiting of one service, as one stream of the hub, which is never closed. */
export class KeyWatches implements WatchOutlet {
  readonly writable = true;
  readonly #stream: WatchStream;
  readonly #watchers = new Map<WatchId, KeyWatcher>();

  constructor(hub: WatchOpener) {
    this.#stream = hub.open(this, NO_PROGRESS_TICKS);
  }

  get count(): number {
    return this.#watchers.size;
  }

  /** The result ends it. Nothing is called before this returns. Keys without end are refused too. */
  watch(keys: WatchedKeys, watcher: KeyWatcher): Result<() => void, 'tooManyRequests'> {
    const created = this.#stream.watch({
      ...keys,
      progressNotify: false,
      filters: [],
      prevKv: false,
      watchId: 0,
      fragment: false,
    });
    if (!created.ok) return err('tooManyRequests');
    const id = created.value;
    this.#watchers.set(id, watcher);
    return ok(() => {
      if (this.#watchers.delete(id)) this.#stream.cancel(id);
    });
  }

  events(id: WatchId, _revision: Revision, events: readonly WatchEvent[]): void {
    this.#watchers.get(id)?.onEvents(events);
  }

  compacted(id: WatchId): void {
    const watcher = this.#watchers.get(id);
    this.#watchers.delete(id);
    watcher?.onLost();
  }

  progress(): void {
    // Asked of nobody.
  }
}

/** `changed`: a key was deleted, or may have been. `over`: the client has gone. */
export type WaitEnd = 'changed' | 'over' | 'tooManyRequests';

/** Waits until any of the keys is deleted at or after `fromRevision`. */
export function waitForDelete(
  watches: KeyWatches,
  keys: readonly Uint8Array[],
  fromRevision: Revision,
  call: Call,
): Promise<WaitEnd> {
  return waitForEvent(
    watches,
    keys.map((key) => ({ key, rangeEnd: EMPTY_BYTES, startRevision: fromRevision })),
    ({ type }) => type === 'delete',
    call,
  );
}

/** Waits for the first event that is waited for, of any of the watched keys. */
export function waitForEvent(
  watches: KeyWatches,
  watched: readonly WatchedKeys[],
  isWaitedFor: (event: WatchEvent) => boolean,
  call: Call,
): Promise<WaitEnd> {
  return new Promise((resolve) => {
    const ends: (() => void)[] = [];
    const finish = (end: WaitEnd): void => {
      for (const stop of ends.splice(0)) stop();
      resolve(end);
    };
    const watcher: KeyWatcher = {
      onEvents: (events) => {
        if (events.some(isWaitedFor)) finish('changed');
      },
      onLost: () => finish('changed'),
    };
    for (const keys of watched) {
      const started = watches.watch(keys, watcher);
      if (!started.ok) return finish(started.error);
      ends.push(started.value);
    }
    ends.push(call.onOver(() => finish('over')));
  });
}

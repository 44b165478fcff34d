import { assert } from '../lib/assert.ts';
import { compareBytes } from '../lib/bytes.ts';
import {
  BUCKET_HEADER_BYTES,
  ELEMENT_BYTES,
  PAGE_BYTES,
  PAGE_FLAG,
  PAGE_HEADER_BYTES,
  setUint64,
  viewOf,
  writePageHeader,
} from './page.ts';
import type { PageSink } from './page-sink.ts';

/**
 * Builds one bucket's tree from items in ascending order: pages of all levels fill up side by
 * side and are written when full, so the memory it takes is one page a level.
 */
export class TreeBuilder {
  readonly #sink: PageSink;
  /** Leaf first; each level's parent is the next one. */
  readonly #levels: PageItems[] = [new PageItems()];
  #lastKey: Uint8Array | undefined;

  constructor(sink: PageSink) {
    this.#sink = sink;
  }

  /** `flags`: of the leaf element. Key and value must not change before {@link finish}. */
  add(key: Uint8Array, value: Uint8Array, flags = 0): void {
    assert(key.length > 0, 'keys are not empty');
    assert(
      this.#lastKey === undefined || compareBytes(this.#lastKey, key) < 0,
      'items come in ascending order',
    );
    this.#lastKey = key;
    this.#addTo(0, { type: 'leaf', flags, key, value });
  }

  /** The root's page id. Nothing can be added after it. */
  finish(): number {
    for (let level = 0; ; level++) {
      const { id, key } = this.#writePage(level);
      if (level === this.#levels.length - 1) return id;
      assert(key !== undefined, 'a page that has a parent is not empty');
      this.#addTo(level + 1, { type: 'branch', key, child: id });
    }
  }

  #addTo(level: number, item: Item): void {
    const items = this.#levels[level] ?? new PageItems();
    this.#levels[level] = items;
    if (items.list.length > 0 && items.sizeBytes + itemSizeBytes(item) > PAGE_BYTES) {
      const { id, key } = this.#writePage(level);
      assert(key !== undefined, 'a full page is not empty');
      this.#addTo(level + 1, { type: 'branch', key, child: id });
    }
    items.list.push(item);
    items.sizeBytes += itemSizeBytes(item);
  }

  /** Writes the level's page and empties it; `key` is its first. */
  #writePage(level: number): { readonly id: number; readonly key: Uint8Array | undefined } {
    const items = this.#levels[level]!;
    const { id, bytes } = this.#sink.allocate(Math.ceil(items.sizeBytes / PAGE_BYTES));
    writePageHeader(bytes, {
      id,
      flags: level === 0 ? PAGE_FLAG.leaf : PAGE_FLAG.branch,
      count: items.list.length,
      overflow: bytes.length / PAGE_BYTES - 1,
    });
    const view = viewOf(bytes);
    let dataAt = PAGE_HEADER_BYTES + items.list.length * ELEMENT_BYTES;
    for (const [position, item] of items.list.entries()) {
      const at = PAGE_HEADER_BYTES + position * ELEMENT_BYTES;
      writeElement(view, at, dataAt, item);
      bytes.set(item.key, dataAt);
      dataAt += item.key.length;
      if (item.type === 'leaf') {
        bytes.set(item.value, dataAt);
        dataAt += item.value.length;
      }
    }
    assert(dataAt === items.sizeBytes, 'a page takes what was counted');
    const key = items.list[0]?.key;
    items.list = [];
    items.sizeBytes = PAGE_HEADER_BYTES;
    return { id, key };
  }
}

/** The value of a bucket's element in the tree above it. */
export function encodeBucketHeader(root: number): Uint8Array {
  const value = new Uint8Array(BUCKET_HEADER_BYTES);
  setUint64(viewOf(value), 0, root);
  return value;
}

type Item =
  | {
      readonly type: 'leaf';
      readonly flags: number;
      readonly key: Uint8Array;
      readonly value: Uint8Array;
    }
  | { readonly type: 'branch'; readonly key: Uint8Array; readonly child: number };

class PageItems {
  list: Item[] = [];
  sizeBytes: number = PAGE_HEADER_BYTES;
}

function itemSizeBytes(item: Item): number {
  const valueBytes = item.type === 'leaf' ? item.value.length : 0;
  return ELEMENT_BYTES + item.key.length + valueBytes;
}

function writeElement(view: DataView, at: number, dataAt: number, item: Item): void {
  const position = dataAt - at;
  if (item.type === 'leaf') {
    view.setUint32(at, item.flags, true);
    view.setUint32(at + 4, position, true);
    view.setUint32(at + 8, item.key.length, true);
    view.setUint32(at + 12, item.value.length, true);
  } else {
    view.setUint32(at, position, true);
    view.setUint32(at + 4, item.key.length, true);
    setUint64(view, at + 8, item.child);
  }
}

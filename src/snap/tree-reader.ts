import { compareBytes, EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';
import {
  BUCKET_FLAG,
  BUCKET_HEADER_BYTES,
  decodeMetaPage,
  ELEMENT_BYTES,
  getUint32,
  getUint64,
  type MetaPage,
  PAGE_BYTES,
  PAGE_FLAG,
  PAGE_HEADER_BYTES,
  readPageHeader,
} from './page.ts';

/** The pages of a database, by id. */
export interface PageSource {
  /** The page with its overflow; a sentence if the database has no such page. */
  page(id: number): Uint8Array | string;
}

export interface TreeItem {
  readonly key: Uint8Array;
  /** A view into the database. */
  readonly value: Uint8Array;
  readonly isBucket: boolean;
}

/** A bucket whose every page is in bounds and whose keys ascend: reading it cannot fail. */
export class Bucket {
  #leaves: Uint8Array[];

  constructor(leaves: Uint8Array[]) {
    this.#leaves = leaves;
  }

  /** Its leaf pages, in order. */
  get leaves(): readonly Uint8Array[] {
    return this.#leaves;
  }

  /** The same, and not kept here any more: the bucket is empty from now on. */
  takeLeaves(): Uint8Array[] {
    const leaves = this.#leaves;
    this.#leaves = [];
    return leaves;
  }

  *items(): Generator<TreeItem> {
    for (const leaf of this.#leaves) {
      const count = readPageHeader(leaf).count;
      for (let position = 0; position < count; position++) yield leafItem(leaf, position);
    }
  }

  /** By search from the front: for small buckets. */
  get(key: string): Uint8Array | undefined {
    for (const item of this.items()) if (utf8Decode(item.key) === key) return item.value;
    return undefined;
  }
}

/** The database's buckets by name, each checked in full; a sentence if one is not in order. */
export function readBuckets(
  pages: PageSource,
  root: number,
  wanted: (name: Uint8Array) => boolean = () => true,
): Result<{ readonly name: Uint8Array; readonly bucket: Bucket }[], string> {
  // A page used twice would be a cycle, or two buckets that overwrite each other.
  const used = new Set<number>();
  const top = checkTree(pages, root, used);
  if (!top.ok) return top;
  const buckets: { readonly name: Uint8Array; readonly bucket: Bucket }[] = [];
  for (const { key: name, value, isBucket } of top.value.items()) {
    if (!isBucket || value.length < BUCKET_HEADER_BYTES) return err('an item outside of buckets');
    if (!wanted(name)) continue;
    const bucket = readBucket(pages, value, used);
    if (!bucket.ok) return bucket;
    buckets.push({ name, bucket: bucket.value });
  }
  return ok(buckets);
}

/** The meta page that counts; undefined if neither is intact. */
export function chooseMeta(head: Uint8Array): MetaPage | undefined {
  const first = decodeMetaPage(head);
  // Without the first, its page size is unknown too, and assumed.
  const second = decodeMetaPage(head.subarray(first?.pageBytes ?? PAGE_BYTES));
  const meta =
    first !== undefined && second !== undefined && second.transaction > first.transaction
      ? second
      : (first ?? second);
  if (meta === undefined) return undefined;
  const isPageSize = PAGE_SIZES.includes(meta.pageBytes);
  return isPageSize && Number.isSafeInteger(meta.highWater * meta.pageBytes) ? meta : undefined;
}

/** Bytes from a file's start that {@link chooseMeta} needs. */
export const META_HEAD_BYTES: number = 2 * 65_536;
const PAGE_SIZES: readonly number[] = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
/** 4096-byte pages hold more than ten children each: no file is as large as this is deep. */
const TREE_DEPTH_MAX = 20;

function readBucket(
  pages: PageSource,
  header: Uint8Array,
  used: Set<number>,
): Result<Bucket, string> {
  const root = getUint64(header, 0);
  if (root !== 0) return checkTree(pages, root, used);
  const inline = header.subarray(BUCKET_HEADER_BYTES);
  const walk = newWalk(pages, used);
  if (inline.length < PAGE_HEADER_BYTES) return err('a bucket without a page');
  if (readPageHeader(inline).flags !== PAGE_FLAG.leaf) return err('an inline page is no leaf');
  const problem = checkLeaf(walk, inline);
  return problem === undefined ? ok(new Bucket(walk.leaves)) : err(problem);
}

function checkTree(pages: PageSource, root: number, used: Set<number>): Result<Bucket, string> {
  const walk = newWalk(pages, used);
  const problem = checkPage(walk, root, { depth: 0, lowest: undefined });
  return problem === undefined ? ok(new Bucket(walk.leaves)) : err(problem);
}

interface Walk {
  readonly pages: PageSource;
  readonly used: Set<number>;
  readonly leaves: Uint8Array[];
  /** The last key so far, which may be empty only as long as there is none. */
  lastPage: Uint8Array;
  lastFrom: number;
  lastEnd: number;
}

function newWalk(pages: PageSource, used: Set<number>): Walk {
  return { pages, used, leaves: [], lastPage: EMPTY_BYTES, lastFrom: 0, lastEnd: 0 };
}

/** What is wrong with the subtree of page `id`, whose keys are all at least `lowest`. */
function checkPage(
  walk: Walk,
  id: number,
  from: { readonly depth: number; readonly lowest: Uint8Array | undefined },
): string | undefined {
  if (walk.used.has(id)) return `page ${id} is used twice`;
  walk.used.add(id);
  if (from.depth > TREE_DEPTH_MAX) return `page ${id} is too deep`;
  const page = walk.pages.page(id);
  if (typeof page === 'string') return page;
  const { flags, count } = readPageHeader(page);
  if (flags !== PAGE_FLAG.leaf && flags !== PAGE_FLAG.branch) {
    return `page ${id} is neither leaf nor branch`;
  }
  if (PAGE_HEADER_BYTES + count * ELEMENT_BYTES > page.length) return `page ${id} has no room`;
  if (flags === PAGE_FLAG.branch) return checkBranch(walk, page, { id, depth: from.depth });
  const problem = checkLeaf(walk, page);
  if (problem !== undefined) return `page ${id}: ${problem}`;
  if (from.lowest === undefined || count === 0) return undefined;
  const first = keyAt(page, PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + 4);
  if (compareBytes(first, from.lowest) < 0) return `page ${id}: a key below its parent's`;
  return undefined;
}

function checkBranch(
  walk: Walk,
  page: Uint8Array,
  at: { readonly id: number; readonly depth: number },
): string | undefined {
  const { count } = readPageHeader(page);
  if (count === 0) return `page ${at.id}: a branch without children`;
  for (let position = 0; position < count; position++) {
    const element = PAGE_HEADER_BYTES + position * ELEMENT_BYTES;
    if (!isInBounds(page, element, 0)) return `page ${at.id}: a key outside of it`;
    const child = getUint64(page, element + 8);
    const lowest = keyAt(page, element);
    const problem = checkPage(walk, child, { depth: at.depth + 1, lowest });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkLeaf(walk: Walk, page: Uint8Array): string | undefined {
  const { count } = readPageHeader(page);
  if (PAGE_HEADER_BYTES + count * ELEMENT_BYTES > page.length) return 'no room for its elements';
  for (let position = 0; position < count; position++) {
    const element = PAGE_HEADER_BYTES + position * ELEMENT_BYTES;
    const valueBytes = getUint32(page, element + 12);
    if (!isInBounds(page, element, valueBytes, element + 4)) return 'an item outside of it';
    const from = element + getUint32(page, element + 4);
    const end = from + getUint32(page, element + 8);
    if (!isAfterLast(walk, page, from, end)) return 'keys do not ascend';
    walk.lastPage = page;
    walk.lastFrom = from;
    walk.lastEnd = end;
  }
  if (count > 0) walk.leaves.push(page);
  return undefined;
}

/** As compareBytes, without views: there are millions of keys. */
function isAfterLast(walk: Walk, page: Uint8Array, from: number, end: number): boolean {
  const { lastPage, lastFrom, lastEnd } = walk;
  const shared = Math.min(end - from, lastEnd - lastFrom);
  for (let at = 0; at < shared; at++) {
    const difference = page[from + at]! - lastPage[lastFrom + at]!;
    if (difference !== 0) return difference > 0;
  }
  return end - from > lastEnd - lastFrom;
}

/**
 * Are key and value in the page? A leaf element has its position and key size at `sizesAt`, a
 * branch element at its beginning.
 */
function isInBounds(
  page: Uint8Array,
  element: number,
  valueBytes: number,
  sizesAt = element,
): boolean {
  const position = getUint32(page, sizesAt);
  const keyBytes = getUint32(page, sizesAt + 4);
  const end = element + position + keyBytes + valueBytes;
  return keyBytes > 0 && position >= ELEMENT_BYTES && end <= page.length;
}

/** As for {@link isInBounds}, which holds. */
function keyAt(page: Uint8Array, element: number, sizesAt = element): Uint8Array {
  const from = element + getUint32(page, sizesAt);
  return page.subarray(from, from + getUint32(page, sizesAt + 4));
}

function leafItem(leaf: Uint8Array, position: number): TreeItem {
  const element = PAGE_HEADER_BYTES + position * ELEMENT_BYTES;
  const keyFrom = element + getUint32(leaf, element + 4);
  const valueFrom = keyFrom + getUint32(leaf, element + 8);
  const valueEnd = valueFrom + getUint32(leaf, element + 12);
  return {
    key: leaf.subarray(keyFrom, valueFrom),
    value: leaf.subarray(valueFrom, valueEnd),
    isBucket: (getUint32(leaf, element) & BUCKET_FLAG) !== 0,
  };
}

/**
 * What every key was at every revision: for each key a list of its versions, and the keys in
 * order. Nothing is ever forgotten.
 */
import type { Revision } from '../../../src/lib/ids.ts';
import type { KeyValue } from '../../../src/mvcc/request.ts';

/** A key as it is from revision `main` on; `kv` undefined: deleted. */
export interface Version {
  readonly main: Revision;
  /** Position among the changes that share `main`, from 0. */
  readonly sub: number;
  readonly kv: KeyValue | undefined;
}

/** One change of one key. */
export interface ModelChange {
  readonly key: Uint8Array;
  readonly main: Revision;
  readonly sub: number;
  /** Undefined: deleted. */
  readonly kv: KeyValue | undefined;
  /** Before the change's revision. */
  readonly previous: KeyValue | undefined;
}

/** One change, as it is written down. */
interface Change {
  readonly key: Uint8Array;
  readonly version: Version;
  /** `main` of the key's next change; 0: none yet. */
  supersededAt: Revision;
}

export class Versions {
  /** Every change, in the order of (main, sub). */
  readonly #changes: Change[] = [];
  readonly #newest = new Map<string, Change>();
  /** Ascending by (main, sub). */
  readonly #byKey = new Map<string, Version[]>();
  /** Every key there ever was, ascending. */
  readonly #keys: string[] = [];

  /** Versions come in the order of their revisions. */
  add(key: Uint8Array, version: Version): void {
    const text = textOf(key);
    const before = this.#newest.get(text);
    if (before !== undefined) before.supersededAt = version.main;
    const change = { key: new Uint8Array(key), version, supersededAt: 0 };
    this.#changes.push(change);
    this.#newest.set(text, change);
    const known = this.#byKey.get(text);
    if (known !== undefined) {
      known.push(version);
      return;
    }
    this.#byKey.set(text, [version]);
    this.#keys.splice(this.#position(text), 0, text);
  }

  /** The key as it was at `revision`; undefined: it did not exist then. */
  at(key: Uint8Array, revision: Revision): KeyValue | undefined {
    return newestAt(this.#byKey.get(textOf(key)) ?? [], revision);
  }

  /** All keys of a range, in etcd's convention for range ends, that existed at `revision`. */
  select(key: Uint8Array, rangeEnd: Uint8Array, revision: Revision): KeyValue[] {
    if (rangeEnd.length === 0) {
      const kv = this.at(key, revision);
      return kv === undefined ? [] : [kv];
    }
    const end = textOf(rangeEnd);
    const found: KeyValue[] = [];
    for (let at = this.#position(textOf(key)); at < this.#keys.length; at++) {
      const text = this.#keys[at]!;
      if (end !== '\0' && text >= end) break;
      const kv = newestAt(this.#byKey.get(text)!, revision);
      if (kv !== undefined) found.push(kv);
    }
    return found;
  }

  /** Of keys of a range, at revisions in (after, upTo], in order. */
  changes(key: Uint8Array, rangeEnd: Uint8Array, after: Revision, upTo: Revision): ModelChange[] {
    const [from, end] = [textOf(key), textOf(rangeEnd)];
    const isWithin = (text: string): boolean =>
      end === '' ? text === from : text >= from && (end === '\0' || text < end);
    const found: ModelChange[] = [];
    const first = countUntil(
      this.#changes.length,
      (at) => this.#changes[at]!.version.main <= after,
    );
    for (let at = first; at < this.#changes.length; at++) {
      const { key: changed, version } = this.#changes[at]!;
      if (version.main > upTo) break;
      if (!isWithin(textOf(changed))) continue;
      const previous = this.at(changed, version.main - 1);
      found.push({ key: changed, ...version, previous });
    }
    return found;
  }

  /**
   * What a store at revision `upTo` has to keep that was compacted at `compactRevision`, in order:
   * all after that, and what a read or a watch at it needs.
   */
  *retained(
    compactRevision: Revision,
    upTo: Revision,
  ): Iterable<{ readonly key: Uint8Array; readonly version: Version }> {
    for (const change of this.#changes) {
      const { supersededAt, version } = change;
      if (version.main > upTo) return;
      if (supersededAt !== 0 && supersededAt <= compactRevision) continue;
      if (version.kv === undefined && version.main < compactRevision) continue;
      yield change;
    }
  }

  /** Every key with all its versions, in key order. */
  all(): readonly { readonly key: string; readonly versions: readonly Version[] }[] {
    return this.#keys.map((key) => ({ key, versions: this.#byKey.get(key)! }));
  }

  /** How many keys sort before `text`. */
  #position(text: string): number {
    return countUntil(this.#keys.length, (at) => this.#keys[at]! < text);
  }
}

/** One character a byte: such texts compare as the bytes do. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function newestAt(versions: readonly Version[], revision: Revision): KeyValue | undefined {
  const count = countUntil(versions.length, (at) => versions[at]!.main <= revision);
  return versions[count - 1]?.kv;
}

/** Of `length` positions, how many satisfy `test`, which those do that come first. */
function countUntil(length: number, test: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (test(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Which keys hang on which lease; keys are held by their names. */
import type { LeaseId } from '../lib/ids.ts';
import { nameOf } from '../lib/key-name.ts';

export class Attachments {
  readonly #leaseOf = new Map<string, LeaseId>();
  /** Most leases have one key, which needs no set: a third of the memory. */
  readonly #keysOf = new Map<LeaseId, string | Set<string>>();

  /** Keys that hang on any lease. */
  get count(): number {
    return this.#leaseOf.size;
  }

  /** A key hangs on at most one lease: the old one lets go. */
  attach(key: Uint8Array, lease: LeaseId): void {
    const name = nameOf(key);
    const before = this.#leaseOf.get(name);
    if (before === lease) return;
    if (before !== undefined) this.#letGo(name, before);
    this.#leaseOf.set(name, lease);
    const keys = this.#keysOf.get(lease);
    if (keys === undefined) this.#keysOf.set(lease, name);
    else if (typeof keys === 'string') this.#keysOf.set(lease, new Set([keys, name]));
    else keys.add(name);
  }

  detach(key: Uint8Array): void {
    // Most stores have no leases at all, and every change of a key comes through here.
    if (this.#leaseOf.size === 0) return;
    const name = nameOf(key);
    const before = this.#leaseOf.get(name);
    if (before === undefined) return;
    this.#leaseOf.delete(name);
    this.#letGo(name, before);
  }

  /** In byte order. */
  keysOf(lease: LeaseId): readonly Uint8Array[] {
    return this.#namesOf(lease).sort().map(bytesOf);
  }

  /** The same, and the lease has no keys any more. */
  take(lease: LeaseId): readonly Uint8Array[] {
    const keys = this.keysOf(lease);
    for (const name of this.#namesOf(lease)) this.#leaseOf.delete(name);
    this.#keysOf.delete(lease);
    return keys;
  }

  #namesOf(lease: LeaseId): string[] {
    const keys = this.#keysOf.get(lease);
    if (keys === undefined) return [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  #letGo(name: string, lease: LeaseId): void {
    const keys = this.#keysOf.get(lease);
    if (typeof keys === 'object') keys.delete(name);
    if (keys === name || (typeof keys === 'object' && keys.size === 0)) this.#keysOf.delete(lease);
  }
}

function bytesOf(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at++) bytes[at] = name.charCodeAt(at);
  return bytes;
}

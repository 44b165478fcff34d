import { err, ok, type Result } from '../../lib/result.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

export type SplitError = 'notAnObject' | 'tooLarge';

/**
 * Cuts a stream of bytes into the JSON objects that follow one another in it, with or without
 * white space between them. Only braces and strings are looked at: whether an object is valid is
 * for its parser to say.
 */
export class JsonSplitter {
  private readonly objectBytesMax: number;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;

  constructor(objectBytesMax: number) {
    this.objectBytesMax = objectBytesMax;
  }

  /** The objects that end in this chunk. After an error there are no more. */
  push(chunk: Uint8Array): Result<Uint8Array[], SplitError> {
    const objects: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (this.depth === 0) {
        start = at;
        if (WHITE_SPACE.has(byte)) continue;
        if (byte !== OPEN_BRACE) return err('notAnObject');
      }
      if (!this.ends(byte)) continue;
      const added = this.hold(chunk.subarray(start, at + 1));
      if (!added.ok) return added;
      objects.push(Buffer.concat(this.held));
      this.held = [];
      this.heldBytes = 0;
    }
    if (this.depth > 0) {
      const added = this.hold(chunk.subarray(start));
      if (!added.ok) return added;
    }
    return ok(objects);
  }

  /** An object has begun and not ended. */
  isMidObject(): boolean {
    return this.depth > 0;
  }

  private hold(piece: Uint8Array): Result<undefined, SplitError> {
    this.heldBytes += piece.length;
    if (this.heldBytes > this.objectBytesMax) return err('tooLarge');
    this.held.push(piece);
    return ok(undefined);
  }

  /** Whether the outermost object ends with this byte. */
  private ends(byte: number): boolean {
    if (this.escaped) {
      this.escaped = false;
    } else if (this.inString) {
      if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
    } else if (byte === QUOTE) {
      this.inString = true;
    } else if (byte === OPEN_BRACE) {
      this.depth += 1;
    } else if (byte === CLOSE_BRACE) {
      this.depth -= 1;
      return this.depth === 0;
    }
    return false;
  }
}

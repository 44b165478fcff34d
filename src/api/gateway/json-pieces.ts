import type { JsonValue } from '@bufbuild/protobuf';
import { assert } from '../../lib/assert.ts';

/**
 * The text of one JSON object, from objects that have it in pieces: fields one after the other,
 * a list in several of them, in a row.
 */
export class JsonPieces {
  #isEmpty = true;
  /** The list at the end of the text, which is still open. */
  #openList: string | undefined;

  /** What goes on with the text. */
  add(piece: JsonValue): string {
    assert(typeof piece === 'object' && piece !== null && !Array.isArray(piece), 'a message');
    let text = this.#isEmpty ? '{' : '';
    for (const [name, value] of Object.entries(piece)) {
      text += Array.isArray(value) ? this.#items(name, value) : this.#field(name, value);
      this.#isEmpty = false;
    }
    return text;
  }

  /** The end of the text. */
  end(): string {
    return `${this.#isEmpty ? '{' : ''}${this.#closeList()}}`;
  }

  #items(name: string, items: readonly JsonValue[]): string {
    const text = JSON.stringify(items).slice(1, -1);
    if (this.#openList === name) return `,${text}`;
    const before = `${this.#closeList()}${this.#comma()}`;
    this.#openList = name;
    return `${before}${JSON.stringify(name)}:[${text}`;
  }

  #field(name: string, value: JsonValue): string {
    const before = `${this.#closeList()}${this.#comma()}`;
    return `${before}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }

  #comma(): string {
    return this.#isEmpty ? '' : ',';
  }

  #closeList(): string {
    if (this.#openList === undefined) return '';
    this.#openList = undefined;
    return ']';
  }
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonSplitter } from '../../src/api/gateway/json-splitter.ts';

/** All objects of the chunks, parsed. */
function split(splitter: JsonSplitter, chunks: readonly Uint8Array[]): unknown[] {
  return chunks.flatMap((chunk) => {
    const objects = splitter.push(chunk);
    if (!objects.ok) throw new Error(objects.error);
    return objects.value.map((object) => JSON.parse(Buffer.from(object).toString()));
  });
}

describe('objects that follow one another', () => {
  test('come out as they went in, however they are cut', () => {
    const nasty = fc.constantFrom('{', '}', '"', '\\', '\\"', '[', ' ', '\n', 'é', '💥', 'a');
    const text = fc.array(nasty, { maxLength: 8 }).map((parts) => parts.join(''));
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, text, fc.integer(), tie('object'), fc.array(text)),
      object: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    })).object;
    const space = fc.constantFrom('', ' ', '\r\n', '\t');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(json, space, fc.boolean()), { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (objects, sizes) => {
          const bytes = Buffer.from(
            objects
              .map(([object, gap, pretty]) => JSON.stringify(object, null, pretty ? 1 : 0) + gap)
              .join(''),
          );
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; at += chunks.at(-1)!.length) {
            chunks.push(bytes.subarray(at, at + sizes.next().value!));
          }
          const splitter = new JsonSplitter(100_000);
          const plain = objects.map(([object]) => JSON.parse(JSON.stringify(object)));
          expect(split(splitter, chunks)).toEqual(plain);
          expect(splitter.isMidObject()).toBe(false);
        },
      ),
    );
  });

  test('what is none is refused, and so is too much', () => {
    const push = (text: string) => new JsonSplitter(10).push(Buffer.from(text));
    for (const text of ['x', '[{}]', '1{}', '{}1', '{}}']) {
      expect(push(text)).toEqual({ ok: false, error: 'notAnObject' });
    }
    expect(push('{"a":"bcd"')).toMatchObject({ ok: true });
    expect(push('{"a":"bcd"}')).toEqual({ ok: false, error: 'tooLarge' });
    expect(push('{"a":"bcd"xxx')).toEqual({ ok: false, error: 'tooLarge' });
    expect(push('{"a":1} {"a":2}')).toMatchObject({ ok: true, value: [{}, {}] });
    const slow = new JsonSplitter(10);
    for (let n = 0; n < 10; n += 1) expect(slow.push(Buffer.from('{')).ok).toBe(true);
    expect(slow.isMidObject()).toBe(true);
    expect(slow.push(Buffer.from('{')).ok).toBe(false);
  });
});

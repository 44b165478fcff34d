/** Bytes → text of one char a byte. A platform decoder costs more to call than a header is long. */
export function latin1Decode(bytes: Uint8Array, start: number, end: number): string {
  const codes: number[] = new Array(end - start);
  for (let i = start; i < end; i++) codes[i - start] = bytes[i]!;
  return textOfCodes(codes);
}

/** The text whose chars are `codes`. */
export function textOfCodes(codes: number[]): string {
  if (codes.length <= ARGUMENTS_MAX) return String.fromCharCode.apply(undefined, codes);
  let text = '';
  for (let i = 0; i < codes.length; i += ARGUMENTS_MAX) {
    text += String.fromCharCode.apply(undefined, codes.slice(i, i + ARGUMENTS_MAX));
  }
  return text;
}

/** Each is an argument on the stack; platforms allow some ten thousands. */
const ARGUMENTS_MAX = 1_024;

/**
 * UTF-8 text ↔ bytes. Pure projects compile without any platform's types, so the two globals
 * that every JavaScript platform has are declared here, once.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Malformed sequences become U+FFFD, as in `fmt` of most loggers; use only for display. */
export function utf8Decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A header field: both strings hold one byte a char (latin1), as they stood on the wire. */
export type HeaderField = readonly [name: string, value: string];

/** What a field counts for in the dynamic table and in a list: RFC 7541 §4.1, RFC 9113 §6.5.2. */
export function fieldSizeBytes([name, value]: HeaderField): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}

export const FIELD_OVERHEAD_BYTES = 32;

import type { HeaderField } from './header-field.ts';

/** What a request's header fields say, checked as RFC 9113, section 8.3 asks. */
export class RequestHead {
  readonly fields: readonly HeaderField[];
  readonly method: string;
  readonly path: string;
  readonly scheme: string;

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
    this.method = firstValue(fields, ':method') ?? '';
    this.path = firstValue(fields, ':path') ?? '';
    this.scheme = firstValue(fields, ':scheme') ?? '';
  }

  /** By lower-case name; the first of several. */
  header(name: string): string | undefined {
    return firstValue(this.fields, name);
  }
}

function firstValue(fields: readonly HeaderField[], name: string): string | undefined {
  for (const field of fields) if (field[0] === name) return field[1];
  return undefined;
}

/** Undefined: in order. Otherwise what is wrong, and the stream is to be reset. */
export function headFault(fields: readonly HeaderField[]): string | undefined {
  let seen = 0;
  let isPast = false;
  for (const [name, value] of fields) {
    if (name.charCodeAt(0) === COLON) {
      if (isPast) return 'a pseudo-header after a header';
      const bit = PSEUDO_BITS.get(name);
      if (bit === undefined || (seen & bit) !== 0) return `pseudo-header ${name}`;
      if (!isOneLine(value)) return `pseudo-header ${name}`;
      seen |= bit;
      continue;
    }
    isPast = true;
    const fault = fieldFault(name, value);
    if (fault !== undefined) return fault;
  }
  for (const name of REQUIRED) if ((seen & PSEUDO_BITS.get(name)!) === 0) return `no ${name}`;
  return undefined;
}

/** Of the fields behind a request's body, too. */
export function fieldFault(name: string, value: string): string | undefined {
  if (HOP_BY_HOP.has(name)) return `header ${name}`;
  if (name === 'te' && value !== 'trailers') return 'header te';
  if (!NAME.test(name)) return 'header name';
  return isOneLine(value) ? undefined : 'header value';
}

/** RFC 9113, section 8.2.1. */
function isOneLine(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 0 || code === LINE_FEED || code === CARRIAGE_RETURN) return false;
  }
  return true;
}

const COLON = 0x3a;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Visible characters but upper case and the colon, which only pseudo-headers have. */
const NAME = /^[!-9;-@[-~]+$/;
const REQUIRED = [':method', ':path', ':scheme'];
const PSEUDO_BITS: ReadonlyMap<string, number> = new Map(
  [...REQUIRED, ':authority'].map((name, nth) => [name, 1 << nth]),
);
/** Of one connection, and none of HTTP/2's. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

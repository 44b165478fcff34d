import {
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { err, ok, type Result } from '../../lib/result.ts';

/**
 * The two shapes of a method's messages: JSON outside, protobuf inside. JSON is read as protobuf's
 * mapping says: names in either case, enums by name or number, 64-bit integers as strings or
 * numbers, unknown fields ignored. It is written as etcd does: names as in the .proto files, zero
 * values left out, 64-bit integers as strings.
 */
export class JsonCodec {
  private readonly method: DescMethod;

  constructor(method: DescMethod) {
    this.method = method;
  }

  /** A request's bytes; the error is a text for the client. Nothing at all is an empty message. */
  decode(text: string): Result<Uint8Array, string> {
    const { input } = this.method;
    try {
      const json = text.trim() === '' ? {} : parseJson(text);
      const message = fromJson(input, json, { ignoreUnknownFields: true });
      return ok(toBinary(input, message));
    } catch (error) {
      // From JSON.parse, from fromJson, or of a stack that nested values have filled.
      return err(error instanceof Error ? error.message : String(error));
    }
  }

  encode(message: Uint8Array): JsonValue {
    const { output } = this.method;
    const decoded: Message = fromBinary(output, message);
    return toJson(output, decoded, { useProtoFieldName: true });
  }
}

/** Numbers that a double may not hold exactly; most texts have none and parse faster. */
const LONG_NUMBER = /[0-9]{16}/;

/** As JSON.parse, but integers that a number cannot hold become strings. Throws SyntaxError. */
export function parseJson(text: string): JsonValue {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return Number.isInteger(value) ? (context?.source ?? value) : value;
}

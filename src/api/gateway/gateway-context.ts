import { ok, type Result } from '../../lib/result.ts';
import type { Caller } from '../../service/caller.ts';
import { parseGrpcTimeout } from '../../wire/grpc-text.ts';
import type { UnaryContext } from '../rpc.ts';
import { callerOf, type Metadata, PLAIN_PEER } from '../rpc-caller.ts';

/** Headers with this prefix become metadata without it, e.g. `Grpc-Metadata-Hasleader`. */
const METADATA_PREFIX = 'grpc-metadata-';

/**
 * What a method learns of a call through the gateway. A client certificate of the connection says
 * nothing about the caller: the token is in `Authorization`.
 */
export class GatewayContext implements UnaryContext {
  readonly timeoutMs: number | undefined;
  readonly caller: Caller;
  readonly metadata: Metadata;
  private readonly callbacks: (() => void)[] = [];

  constructor(metadata: Metadata, timeoutMs: number | undefined) {
    this.timeoutMs = timeoutMs;
    this.metadata = metadata;
    this.caller = callerOf(metadata, PLAIN_PEER);
  }

  onOver(callback: () => void): void {
    this.callbacks.push(callback);
  }

  /** The exchange is over, whoever ended it. */
  end(): void {
    for (const callback of this.callbacks.splice(0)) callback();
  }
}

/** `header`: of the HTTP request, by lower-case name. The error is a text for the client. */
export function contextOf(
  header: (name: string) => string | undefined,
): Result<GatewayContext, string> {
  const metadata: Metadata = (name) =>
    name === 'authorization' ? header(name) : header(`${METADATA_PREFIX}${name}`);
  const timeoutHeader = header('grpc-timeout');
  if (timeoutHeader === undefined) return ok(new GatewayContext(metadata, undefined));
  const timeout = parseGrpcTimeout(timeoutHeader);
  if (!timeout.ok) return { ok: false, error: `malformed grpc-timeout: ${timeoutHeader}` };
  return ok(new GatewayContext(metadata, timeout.value));
}

import { definiteness } from '../service/errors.ts';
import { GrpcCode } from '../wire/grpc-code.ts';

/** Why a request got no answer, or not the one it asked for. */
export interface ClientError {
  /** gRPC status code: the server's, or the one a gRPC library would make up. */
  readonly code: number;
  readonly message: string;
  /** true: the request certainly had no effect. */
  readonly definite: boolean;
}

/** The server's own answer; the table of its errors knows what it means. */
export function serverError(code: number, message: string): ClientError {
  return { code, message, definite: definiteness(code, message) };
}

/** Nothing of the request has left this process. */
export function neverSent(message: string): ClientError {
  return { code: GrpcCode.unavailable, message, definite: true };
}

/** At least part of the request may have left this process. */
export function maybeSent(message: string): ClientError {
  return { code: GrpcCode.unavailable, message, definite: false };
}

/** `sent`: whether bytes of the request may have left this process. */
export function timedOut(options: { readonly sent: boolean }): ClientError {
  const message = options.sent ? 'deadline exceeded' : 'deadline exceeded before connecting';
  return { code: GrpcCode.deadlineExceeded, message, definite: !options.sent };
}

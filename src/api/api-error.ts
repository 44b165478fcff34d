export type ApiErrorCode = 'addressInUse' | 'addressUnavailable' | 'portForbidden' | 'listenFailed';

/** The client port cannot be opened. The message names host and port, and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** From the error of a failed `listen` on `address` (`host:port`). */
export function listenError(address: string, cause: unknown): ApiError {
  const systemCode = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const prefix = `cannot listen for clients on ${address}`;
  switch (systemCode) {
    case 'EADDRINUSE':
      return new ApiError(
        'addressInUse',
        `${prefix}: the port is in use; stop the other process or choose another port`,
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ApiError(
        'addressUnavailable',
        `${prefix}: this machine has no such address; use one of its own, or 0.0.0.0`,
        cause,
      );
    case 'EACCES':
      return new ApiError(
        'portForbidden',
        `${prefix}: not permitted; choose a port above 1023`,
        cause,
      );
    default:
      return new ApiError('listenFailed', `${prefix}: ${systemCode}`, cause);
  }
}

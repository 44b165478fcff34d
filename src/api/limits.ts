/** Every bound of the client port, and what happens beyond it. */
export interface ApiLimits {
  /** Open connections on a port; one more is closed at once. */
  readonly connectionsMax: number;
  /** Requests in flight on one HTTP/2 connection; the client must wait, or is refused. */
  readonly concurrentStreamsMax: number;
  /** A gRPC message received; a longer one is refused with ResourceExhausted. */
  readonly receiveBytesMax: number;
  /** Answers one connection has not taken yet; beyond, requests get ResourceExhausted. */
  readonly unsentBytesMax: number;
  /** Requests of one connection that have not come whole; beyond, they get ResourceExhausted. */
  readonly unfinishedBytesMax: number;
  /** From a piece of a large answer to its being taken; then the call is cut. */
  readonly stallMs: number;
  /** From accepting a connection to knowing its protocol; then it is closed. */
  readonly sniffTimeoutMs: number;
  /** HTTP/1.1: a request line with its headers; beyond, 431. */
  readonly headerBytesMax: number;
  /** HTTP/1.1: from a connection's start to its first request's end of headers; then closed. */
  readonly headerTimeoutMs: number;
  /** HTTP/1.1: idle between requests; then closed. */
  readonly keepAliveMs: number;
  /** What requests in flight get to finish when the server closes. */
  readonly closeGraceMs: number;
}

/** etcd's largest request, 1.5 MiB, and what it allows for the wrapping. */
const RECEIVE_BYTES_MAX = 1.5 * 1024 * 1024 + 512 * 1024;

export const DEFAULT_API_LIMITS: ApiLimits = {
  connectionsMax: 10_000,
  concurrentStreamsMax: 4096,
  receiveBytesMax: RECEIVE_BYTES_MAX,
  unsentBytesMax: 64 * 1024 * 1024,
  unfinishedBytesMax: 256 * 1024 * 1024,
  stallMs: 60_000,
  sniffTimeoutMs: 10_000,
  headerBytesMax: 16 * 1024,
  headerTimeoutMs: 10_000,
  keepAliveMs: 60_000,
  closeGraceMs: 500,
};

import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { assertNever } from '../lib/assert.ts';
import { type ClientError, neverSent } from './client-error.ts';

/**
 * The connection to one endpoint: dialled when a request needs it, again when it is lost. A
 * request waits for the dial, never for a broken connection to mend.
 */

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Node's count of queued frames and headers; beyond, it refuses streams. */
const SESSION_MEMORY_MB = 64;
const BACKOFF_MS_MIN = 10;
/** So that a server that is back is found soon: a refused dial costs next to nothing. */
const BACKOFF_MS_MAX = 80;

export interface Waiter {
  /** The session is connected. */
  ready(session: ClientHttp2Session): void;
  /** The dial failed: nothing was sent. */
  refused(error: ClientError): void;
}

type State =
  | { readonly type: 'idle' }
  | { readonly type: 'dialling'; readonly session: ClientHttp2Session; readonly dial: Dial }
  | { readonly type: 'ready'; readonly session: ClientHttp2Session }
  /** The last dial failed; the next follows at the end of the pause if somebody waits. */
  | { readonly type: 'pausing'; readonly timer: NodeJS.Timeout }
  | { readonly type: 'closed' };

interface Dial {
  readonly timer: NodeJS.Timeout;
}

/** What a client has to show and whom it trusts; all in PEM. */
export interface ClientTls {
  /** Undefined: the authorities that come with Node. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Take whoever answers for the server. */
  readonly insecureSkipVerify?: boolean;
  /** The name that the server's certificate must have; default: the endpoint's host. */
  readonly serverName?: string;
}

export interface ConnectionOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoint: string;
  /** For `https://`. */
  readonly tls?: ClientTls;
  /** From dialling to being connected; then the dial has failed. */
  readonly dialTimeoutMs: number;
}

export class Connection {
  private readonly options: ConnectionOptions;
  private state: State = { type: 'idle' };
  private backoffMs = BACKOFF_MS_MIN;
  /** As many as requests in flight at most. */
  private readonly waiters = new Set<Waiter>();
  /** Streams in use; a session that was given up is cut when its last stream ends. */
  private readonly streams = new Map<ClientHttp2Session, number>();

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  /** Calls `waiter` back: now if connected, else once the dial has come to an end. */
  acquire(waiter: Waiter): void {
    const { state } = this;
    switch (state.type) {
      case 'ready':
        this.lend(state.session, waiter);
        break;
      case 'idle':
        this.waiters.add(waiter);
        this.dial();
        break;
      case 'dialling':
      case 'pausing':
        this.waiters.add(waiter);
        break;
      case 'closed':
        waiter.refused(neverSent('the client is closed'));
        break;
      default:
        assertNever(state);
    }
  }

  /** The waiter no longer waits. */
  forget(waiter: Waiter): void {
    this.waiters.delete(waiter);
  }

  /** A stream of the session that `ready` was called with has ended. */
  release(session: ClientHttp2Session): void {
    const left = (this.streams.get(session) ?? 1) - 1;
    this.streams.set(session, left);
    if (left === 0 && !this.isCurrent(session)) this.cut(session);
  }

  /** The session stopped answering: new requests dial anew, those on it may still finish. */
  giveUp(session: ClientHttp2Session): void {
    if (this.isCurrent(session)) this.state = { type: 'idle' };
    if ((this.streams.get(session) ?? 0) === 0) this.cut(session);
  }

  close(): void {
    const { state } = this;
    this.state = { type: 'closed' };
    if (state.type === 'dialling') {
      clearTimeout(state.dial.timer);
      state.session.destroy();
    } else if (state.type === 'pausing') clearTimeout(state.timer);
    else if (state.type === 'ready') state.session.destroy();
    for (const session of this.streams.keys()) session.destroy();
    this.refuseAll(neverSent('the client is closed'));
  }

  private isCurrent(session: ClientHttp2Session): boolean {
    return this.state.type === 'ready' && this.state.session === session;
  }

  private lend(session: ClientHttp2Session, waiter: Waiter): void {
    this.streams.set(session, (this.streams.get(session) ?? 0) + 1);
    waiter.ready(session);
  }

  private cut(session: ClientHttp2Session): void {
    this.streams.delete(session);
    session.destroy();
  }

  private dial(): void {
    const session = connect(this.options.endpoint, {
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
      ...tlsOptions(this.options.tls),
    });
    const { dialTimeoutMs } = this.options;
    const timer = setTimeout(() => {
      session.destroy(new Error(`not connected within ${dialTimeoutMs} ms`));
    }, dialTimeoutMs);
    this.state = { type: 'dialling', session, dial: { timer } };
    let failure = 'connection closed';
    session.on('connect', () => this.connected(session));
    session.on('error', (cause) => {
      // 'close' follows, and decides by the state it finds.
      failure = cause.message;
    });
    session.on('goaway', () => {
      if (this.isCurrent(session)) this.state = { type: 'idle' };
    });
    session.on('close', () => this.lost(session, failure));
  }

  private connected(session: ClientHttp2Session): void {
    const { state } = this;
    if (state.type !== 'dialling' || state.session !== session) return;
    // Lost in the moment of the event: 'close' follows, and ends the dial.
    if (session.destroyed) return;
    clearTimeout(state.dial.timer);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.state = { type: 'ready', session };
    this.backoffMs = BACKOFF_MS_MIN;
    this.streams.set(session, 0);
    const waiting = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiting) this.lend(session, waiter);
  }

  private lost(session: ClientHttp2Session, failure: string): void {
    const { state } = this;
    this.streams.delete(session);
    if (this.isCurrent(session)) this.state = { type: 'idle' };
    if (state.type !== 'dialling' || state.session !== session) return;
    clearTimeout(state.dial.timer);
    const timer = setTimeout(() => this.endOfPause(), this.backoffMs);
    this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_MS_MAX);
    this.state = { type: 'pausing', timer };
    this.refuseAll(neverSent(`cannot connect to ${this.options.endpoint}: ${failure}`));
  }

  private endOfPause(): void {
    this.state = { type: 'idle' };
    if (this.waiters.size > 0) this.dial();
  }

  private refuseAll(error: ClientError): void {
    const refused = [...this.waiters];
    this.waiters.clear();
    for (const waiter of refused) waiter.refused(error);
  }
}

function tlsOptions(tls: ClientTls | undefined): SecureClientSessionOptions {
  if (tls === undefined) return {};
  const { ca, cert, key, insecureSkipVerify = false, serverName } = tls;
  return {
    ca,
    cert,
    key,
    rejectUnauthorized: !insecureSkipVerify,
    ...(serverName === undefined
      ? {}
      : {
          servername: serverName,
          checkServerIdentity: (_: string, peer: PeerCertificate) =>
            checkServerIdentity(serverName, peer),
        }),
  };
}

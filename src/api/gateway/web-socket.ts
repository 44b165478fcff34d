import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RpcStatus } from '../rpc.ts';
import type { StreamCarrier } from './stream-call.ts';

/** Streams over web sockets: each text message is one JSON object, as a line is elsewhere. */

/** Browsers cannot set headers: they offer the protocols `Bearer` and the token. */
const BEARER_PROTOCOL = 'Bearer';
/** Queued beyond this, a service holds back what can wait. */
const HIGH_WATER_BYTES = 64 * 1024;
const NORMAL_CLOSURE = 1000;

export class WebSockets {
  private readonly server: WebSocketServer;

  constructor(messageBytesMax: number) {
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(BEARER_PROTOCOL) ? BEARER_PROTOCOL : false),
    });
  }

  /** Answers what is no proper upgrade with its HTTP error. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (webSocket: WebSocket) => void,
  ): void {
    this.server.handleUpgrade(request, socket, head, opened);
  }

  close(): void {
    for (const webSocket of this.server.clients) webSocket.terminate();
    this.server.close();
  }
}

/** `Authorization` of a request for a web socket. */
export function webSocketAuthorization(request: IncomingMessage): string | undefined {
  const { authorization, 'sec-websocket-protocol': protocols = '' } = request.headers;
  if (authorization !== undefined) return authorization;
  const [scheme, token] = protocols.split(',').map((each) => each.trim());
  return scheme === BEARER_PROTOCOL && token !== undefined ? `${scheme} ${token}` : undefined;
}

export class WebSocketCarrier implements StreamCarrier {
  private readonly webSocket: WebSocket;
  private whenWritable: () => void = () => undefined;
  private isFull = false;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
  }

  get writable(): boolean {
    return !this.isFull;
  }

  get queuedBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  onWritable(callback: () => void): void {
    this.whenWritable = callback;
  }

  send(json: string): void {
    this.webSocket.send(json, () => {
      if (!this.isFull || this.webSocket.bufferedAmount > HIGH_WATER_BYTES) return;
      this.isFull = false;
      this.whenWritable();
    });
    this.isFull = this.webSocket.bufferedAmount > HIGH_WATER_BYTES;
  }

  end(error?: { readonly json: string; readonly status: RpcStatus }): void {
    if (error !== undefined) this.webSocket.send(error.json);
    this.webSocket.close(NORMAL_CLOSURE);
  }

  abort(): void {
    this.webSocket.terminate();
  }
}

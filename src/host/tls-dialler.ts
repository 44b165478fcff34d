import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsContext } from './tls-context.ts';

export interface DialAddress {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

/**
 * Connects and shakes hands; `onSecure` follows when the other end has proved who it is. If it
 * has not, the socket ends with an error that says why.
 */
export function connectTls(
  context: TlsContext,
  { host, port, localAddress }: DialAddress,
  onSecure: (socket: Socket) => void,
): Socket {
  const socket: TLSSocket = connect({
    host,
    port,
    secureContext: context.clientContext(),
    // Whoever made their own certificates has nobody to vouch for the others', as in etcd.
    rejectUnauthorized: !context.settings.selfSigned,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.setNoDelay(true);
  socket.once('secureConnect', () => {
    const checked = context.checkListener(socket);
    if (checked.ok) onSecure(socket);
    else socket.destroy(new Error(checked.error));
  });
  return socket;
}

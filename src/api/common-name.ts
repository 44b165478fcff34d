import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * The common name in the certificate that the other end showed and that an authority of ours
 * signed; the last, if there are several, as in Go. Undefined without such a certificate. A
 * connection keeps its name: ask once.
 */
export function commonNameOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const names: string | readonly string[] | undefined = socket.getPeerCertificate().subject?.CN;
  const name = typeof names === 'string' ? names : names?.at(-1);
  return name === '' ? undefined : name;
}

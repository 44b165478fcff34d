import type { OpenTls } from '../api/client-port.ts';
import { TlsAcceptor } from '../host/tls-acceptor.ts';
import { TlsContext } from '../host/tls-context.ts';
import { connectTls } from '../host/tls-dialler.ts';
import { ensureSelfSigned } from '../host/tls-self-signed.ts';
import type { TlsSettings } from '../host/tls-settings.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { OpenPeerTls } from '../transport/acceptor.ts';
import type { ConnectTls } from '../transport/dialler.ts';
import { StartError } from './exit-code.ts';
import type { PeerRequestTls } from './peer-members.ts';
import type { SelfSignedCertificate, ServerTls } from './tls-settings.ts';

/** TLS as the ports need it; undefined where no URL asks for it. */
export interface OpenedTls {
  readonly clientPort: OpenTls | undefined;
  readonly peerPort: OpenPeerTls | undefined;
  readonly connectPeer: ConnectTls | undefined;
  /** For asking peers over HTTP, before there is a network. */
  readonly peerRequest: PeerRequestTls | undefined;
}

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads all files, and makes the certificates that are missing. Throws {@link StartError}. */
export function openTls(tls: ServerTls, ports: Ports): OpenedTls {
  for (const certificate of tls.selfSigned) make(certificate, ports);
  const client = contextOf(tls.client, 'cert-file', ports);
  const peer = contextOf(tls.peer, 'peer-cert-file', ports);
  return {
    clientPort: client && portOf(client, ['h2', 'http/1.1'], ports),
    peerPort: peer && portOf(peer, [], ports),
    connectPeer: peer && ((address, onSecure) => connectTls(peer, address, onSecure)),
    peerRequest: peer && requestOptionsOf(peer),
  };
}

function requestOptionsOf(context: TlsContext): PeerRequestTls {
  const rejectUnauthorized = !context.settings.selfSigned;
  return { secureContext: context.clientContext(), rejectUnauthorized };
}

function portOf(
  context: TlsContext,
  alpnProtocols: readonly string[],
  ports: Ports,
): OpenTls | undefined {
  // Whose own URLs are plain may still dial others with TLS.
  if (context.serverOptions() === undefined) return undefined;
  return (onSecure) => new TlsAcceptor({ ...ports, context, alpnProtocols, onSecure });
}

function contextOf(
  settings: TlsSettings | undefined,
  field: string,
  ports: Ports,
): TlsContext | undefined {
  if (settings === undefined) return undefined;
  const context = TlsContext.open(settings, ports);
  if (context.ok) return context.value;
  throw new StartError('settings', `${field}: ${context.error}`);
}

function make(certificate: SelfSignedCertificate, { clock, log }: Ports): void {
  const { certFile, validityYears } = certificate;
  try {
    const isNew = ensureSelfSigned(certificate, clock);
    if (isNew) log.warn('made a certificate that nobody vouches for', { certFile, validityYears });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartError('dataDir', `data-dir: cannot write ${certFile} (${code})`, error);
  }
}

import { join } from 'node:path';
import { opensslCipherSuites } from '../host/tls-cipher-suites.ts';
import type { TlsSettings, TlsVersion } from '../host/tls-settings.ts';
import type { FlagName, FlagValues } from './flags.ts';
import { choiceOf, listOf, pathOf, positiveOf, switchOf, textOf } from './read-setting.ts';
import { SettingsError } from './settings-error.ts';
import type { ListenAddress } from './urls.ts';

/** TLS of both ports, from all its flags. */

export interface ServerTls {
  /** Undefined: no client URL is `https://`. */
  readonly client: TlsSettings | undefined;
  /** The name of a client's certificate is the user it acts as. */
  readonly clientCertAuth: boolean;
  /** Undefined: no peer URL is `https://`, own or of another member. */
  readonly peer: TlsSettings | undefined;
  /** Certificates to make if they are not there. */
  readonly selfSigned: readonly SelfSignedCertificate[];
}

export interface SelfSignedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Names and addresses that it is good for. */
  readonly hosts: readonly string[];
  readonly validityYears: number;
}

export interface TlsAddresses {
  readonly dataDir: string;
  readonly listenClient: readonly ListenAddress[];
  readonly listenPeer: readonly ListenAddress[];
  /** Peer URLs of all members. */
  readonly peerUrls: readonly string[];
}

interface Side {
  readonly listenFlag: FlagName;
  readonly cert: FlagName;
  readonly key: FlagName;
  readonly clientCert: FlagName;
  readonly clientKey: FlagName;
  readonly ca: FlagName;
  readonly crl: FlagName;
  readonly certAuth: FlagName;
  readonly auto: FlagName;
  readonly allowedCn: FlagName;
  readonly allowedHostname: FlagName;
  /** Under `fixtures/` of the data directory, where etcd keeps what it makes. */
  readonly fixtures: string;
}

const CLIENT: Side = {
  listenFlag: 'listen-client-urls',
  cert: 'cert-file',
  key: 'key-file',
  clientCert: 'client-cert-file',
  clientKey: 'client-key-file',
  ca: 'trusted-ca-file',
  crl: 'client-crl-file',
  certAuth: 'client-cert-auth',
  auto: 'auto-tls',
  allowedCn: 'client-cert-allowed-cn',
  allowedHostname: 'client-cert-allowed-hostname',
  fixtures: 'client',
};

const PEER: Side = {
  listenFlag: 'listen-peer-urls',
  cert: 'peer-cert-file',
  key: 'peer-key-file',
  clientCert: 'peer-client-cert-file',
  clientKey: 'peer-client-key-file',
  ca: 'peer-trusted-ca-file',
  crl: 'peer-crl-file',
  certAuth: 'peer-client-cert-auth',
  auto: 'peer-auto-tls',
  allowedCn: 'peer-cert-allowed-cn',
  allowedHostname: 'peer-cert-allowed-hostname',
  fixtures: 'peer',
};

/** Throws SettingsError for the first setting that is wrong or missing. */
export function tlsOf(values: FlagValues, addresses: TlsAddresses): ServerTls {
  const client = sideOf(values, CLIENT, addresses.dataDir);
  const peer = sideOf(values, PEER, addresses.dataDir);
  requireCertificate(CLIENT, client, addresses.listenClient);
  requireCertificate(PEER, peer, addresses.listenPeer);
  const validityYears = positiveOf(values, 'self-signed-cert-validity');
  const dialsPeers = addresses.peerUrls.some((url) => url.startsWith('https:'));
  const usesClient = addresses.listenClient.some(({ secure }) => secure);
  const usesPeer = dialsPeers || addresses.listenPeer.some(({ secure }) => secure);
  const made: SelfSignedCertificate[] = [];
  const make = ({ certFile, keyFile }: TlsSettings, listen: readonly ListenAddress[]): void => {
    const hosts = [...new Set(listen.map(({ host }) => host))].filter((host) => host !== '');
    made.push({ certFile: certFile!, keyFile: keyFile!, hosts, validityYears });
  };
  if (usesClient && client.selfSigned) make(client, addresses.listenClient);
  if (usesPeer && peer.selfSigned) make(peer, addresses.listenPeer);
  return {
    client: usesClient ? client : undefined,
    clientCertAuth: usesClient && switchOf(values, 'client-cert-auth'),
    peer: usesPeer ? peer : undefined,
    selfSigned: made,
  };
}

function requireCertificate(side: Side, tls: TlsSettings, listen: readonly ListenAddress[]): void {
  const secure = listen.find((address) => address.secure);
  if (secure === undefined || tls.certFile !== undefined) return;
  throw new SettingsError(
    side.cert,
    `is required, as ${side.listenFlag} has ${secure.url}; give it with ${side.key}, or ${side.auto}`,
  );
}

function sideOf(values: FlagValues, side: Side, dataDir: string): TlsSettings {
  const given = pairOf(values, side.cert, side.key);
  const client = pairOf(values, side.clientCert, side.clientKey);
  // As in etcd, a certificate that is given wins over one to be made.
  const selfSigned = switchOf(values, side.auto) && given.cert === undefined;
  const fixtures = join(dataDir, 'fixtures', side.fixtures);
  const trustedCaFile = pathOf(values, side.ca);
  const certAuth = switchOf(values, side.certAuth);
  const allowedCns = listOf(values, side.allowedCn);
  const allowedHostnames = listOf(values, side.allowedHostname);
  if (allowedCns.length > 0 && allowedHostnames.length > 0) {
    throw new SettingsError(side.allowedCn, `excludes ${side.allowedHostname}; keep one of them`);
  }
  return {
    certFile: selfSigned ? join(fixtures, 'cert.pem') : given.cert,
    keyFile: selfSigned ? join(fixtures, 'key.pem') : given.key,
    clientCertFile: client.cert,
    clientKeyFile: client.key,
    trustedCaFile,
    crlFile: pathOf(values, side.crl),
    // etcd asks for a certificate as soon as it knows who may have signed it.
    requireClientCert: certAuth || trustedCaFile !== undefined,
    allowedCns,
    allowedHostnames,
    skipClientSanVerification:
      side === PEER && switchOf(values, 'peer-skip-client-san-verification'),
    ...versionsOf(values),
    selfSigned,
  };
}

function pairOf(
  values: FlagValues,
  certFlag: FlagName,
  keyFlag: FlagName,
): { readonly cert: string | undefined; readonly key: string | undefined } {
  const [cert, key] = [pathOf(values, certFlag), pathOf(values, keyFlag)];
  if (cert !== undefined && key === undefined) {
    throw new SettingsError(keyFlag, `is required with ${certFlag}`);
  }
  if (key !== undefined && cert === undefined) {
    throw new SettingsError(certFlag, `is required with ${keyFlag}`);
  }
  return { cert, key };
}

type Versions = Pick<TlsSettings, 'cipherSuites' | 'minVersion' | 'maxVersion'>;

const VERSIONS = ['TLS1.2', 'TLS1.3'] as const;

function versionsOf(values: FlagValues): Versions {
  const minVersion = nodeVersion(choiceOf(values, 'tls-min-version', VERSIONS));
  const newest = textOf(values, 'tls-max-version');
  const maxVersion =
    newest === '' ? undefined : nodeVersion(choiceOf(values, 'tls-max-version', VERSIONS));
  if (maxVersion !== undefined && minVersion > maxVersion) {
    throw new SettingsError('tls-max-version', 'is older than tls-min-version; swap them');
  }
  const names = listOf(values, 'cipher-suites');
  if (names.length === 0) return { minVersion, maxVersion, cipherSuites: undefined };
  if (minVersion === 'TLSv1.3') {
    throw new SettingsError('cipher-suites', 'cannot be chosen with tls-min-version TLS1.3');
  }
  const suites = opensslCipherSuites(names);
  if (!suites.ok) {
    const name = JSON.stringify(suites.error);
    throw new SettingsError('cipher-suites', `${name} is unknown or too weak; leave it out`);
  }
  return { minVersion, maxVersion, cipherSuites: suites.value };
}

function nodeVersion(version: (typeof VERSIONS)[number]): TlsVersion {
  return version === 'TLS1.2' ? 'TLSv1.2' : 'TLSv1.3';
}

/**
 * Certificates of a run: an authority that is made for it and forgotten with it, what it signs for
 * the members and for the harness, and their replacement under members that run.
 */
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import type { ClientTls } from '../../src/client/connection.ts';
import { createCertificate } from '../../src/host/x509-certificate.ts';
import { assert } from '../../src/lib/assert.ts';
import type { CapabilityReport } from './cluster.ts';

/** Part of `Cluster`; undefined: its members talk in the clear. */
export interface Securable {
  readonly tls?: TlsControl;
}

/** What can be done to the TLS files of running members. An unknown node is a ClusterError. */
export interface TlsControl {
  /** Another certificate and key of the same authority for the member; resolves with its serial. */
  renewCertificate(node: string): Promise<string>;
  /** Adds an authority to the members' file of trusted ones, or takes it away again. */
  changeBundle(): Promise<void>;
  /** What a new connection to the member is shown; undefined: there is none within `timeoutMs`. */
  shownSerial(node: string, timeoutMs: number): Promise<string | undefined>;
}

/** Names of a member's files, in a directory of its own. */
export const TLS_FILES = { cert: 'server.crt', key: 'server.key', ca: 'ca.crt' } as const;

/** By their names in {@link TLS_FILES}; PEM. */
export type TlsContents = Partial<Record<(typeof TLS_FILES)[keyof typeof TLS_FILES], string>>;

/** Members show one certificate to clients and peers, and ask both for theirs. */
export function tlsFlags(directory: string): readonly string[] {
  return ['', 'peer-'].flatMap((side) => [
    `--${side}cert-file=${directory}/${TLS_FILES.cert}`,
    `--${side}key-file=${directory}/${TLS_FILES.key}`,
    `--${side}trusted-ca-file=${directory}/${TLS_FILES.ca}`,
    `--${side}client-cert-auth`,
  ]);
}

export function tlsReport(isSecure: boolean): CapabilityReport {
  const detail = isSecure ? 'files are replaced under the members' : 'needs a TLS run: --tls';
  return { capability: 'tls', available: isSecure, detail };
}

const HOUR_MS = 3_600_000;
/** A storm lasts a day at most. */
const VALID_HOURS = 48;

interface Authority {
  readonly commonName: string;
  readonly cert: string;
  readonly key: KeyObject;
}

export class ClusterTls implements TlsControl {
  /** What clients show and trust. */
  readonly client: ClientTls;
  readonly #authority: Authority = newAuthority('storm authority');
  /** Signs nothing: it comes into the members' bundle and goes. */
  readonly #next: Authority = newAuthority('storm authority, next');
  readonly #hosts: readonly string[];
  readonly #members: ReadonlyMap<string, TlsMember>;
  #hasBoth = false;

  /** `hosts`: every name and address that a member is dialled by, or dials from. */
  constructor(hosts: readonly string[], members: ReadonlyMap<string, TlsMember>) {
    this.#hosts = hosts;
    this.#members = members;
    const { cert, key } = this.#issue('storm client', []);
    this.client = { ca: this.#authority.cert, cert, key };
  }

  /** All files of a member, for its first start. */
  contentsFor(node: string): Required<TlsContents> {
    const { cert, key } = this.#issue(node, this.#hosts);
    return { [TLS_FILES.cert]: cert, [TLS_FILES.key]: key, [TLS_FILES.ca]: this.#bundle() };
  }

  async renewCertificate(node: string): Promise<string> {
    const { cert, key } = this.#issue(node, this.#hosts);
    await this.#member(node).replace({ [TLS_FILES.cert]: cert, [TLS_FILES.key]: key });
    return new X509Certificate(cert).serialNumber;
  }

  async changeBundle(): Promise<void> {
    this.#hasBoth = !this.#hasBoth;
    const contents = { [TLS_FILES.ca]: this.#bundle() };
    await Promise.all([...this.#members.values()].map((member) => member.replace(contents)));
  }

  shownSerial(node: string, timeoutMs: number): Promise<string | undefined> {
    return askSerial(new URL(this.#member(node).clientUrl), this.client, timeoutMs);
  }

  #member(node: string): TlsMember {
    const member = this.#members.get(node);
    assert(member !== undefined, `no node ${node} in this cluster`);
    return member;
  }

  #bundle(): string {
    return this.#hasBoth ? this.#authority.cert + this.#next.cert : this.#authority.cert;
  }

  #issue(commonName: string, hosts: readonly string[]): { cert: string; key: string } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = createCertificate({
      issuer: { commonName: this.#authority.commonName },
      issuerKey: this.#authority.key,
      subject: { commonName },
      publicKey,
      isAuthority: false,
      usages: ['serverAuth', 'clientAuth'],
      hosts,
      ...validity(),
    });
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }
}

/** Where a member's files are, as its backend knows. */
export interface TlsMember {
  readonly clientUrl: string;
  /** Writes these over the old ones. */
  replace(contents: TlsContents): Promise<void>;
}

function newAuthority(commonName: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = createCertificate({
    issuer: { commonName },
    issuerKey: privateKey,
    subject: { commonName },
    publicKey,
    isAuthority: true,
    usages: [],
    hosts: [],
    ...validity(),
  });
  return { commonName, cert, key: privateKey };
}

function validity(): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const nowMs = Date.now();
  return { notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs + VALID_HOURS * HOUR_MS };
}

function askSerial(
  { hostname, port }: URL,
  { ca, cert, key }: ClientTls,
  timeoutMs: number,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host: hostname, port: Number(port), ca, cert, key });
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate().serialNumber));
  socket.on('error', () => resolve(undefined));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

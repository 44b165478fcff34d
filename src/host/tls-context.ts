import type { SecureContext, SecureContextOptions, TLSSocket } from 'node:tls';
import { err, ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { fingerprintOf, readMaterial, type TlsMaterial } from './tls-files.ts';
import { chainOf, checkAddress, checkCertificates } from './tls-identity.ts';
import type { TlsSettings } from './tls-settings.ts';

/**
 * Certificates, authorities and revocations of one side, as they are on disk now: a file that
 * changes counts from the next handshake on. A new file that cannot be used changes nothing.
 */
export class TlsContext {
  readonly settings: TlsSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  #material: TlsMaterial;
  #fingerprint: string;
  #lookedAtNs: number;
  #generation = 0;

  /** The error names the file and what is wrong with it. */
  static open(
    settings: TlsSettings,
    ports: { readonly clock: Clock; readonly log: Log },
  ): Result<TlsContext, string> {
    const fingerprint = fingerprintOf(settings);
    const material = readMaterial(settings);
    return material.ok
      ? ok(new TlsContext(settings, ports, material.value, fingerprint))
      : material;
  }

  private constructor(
    settings: TlsSettings,
    ports: { readonly clock: Clock; readonly log: Log },
    material: TlsMaterial,
    fingerprint: string,
  ) {
    this.settings = settings;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#material = material;
    this.#fingerprint = fingerprint;
    this.#lookedAtNs = ports.clock.nowNs();
  }

  /** Grows with every change of the files that could be used. */
  generation(): number {
    this.#refresh();
    return this.#generation;
  }

  /** For who dials us; undefined where there is no certificate. */
  serverOptions(): SecureContextOptions | undefined {
    return this.#material.server;
  }

  /** For whom we dial. */
  clientContext(): SecureContext {
    this.#refresh();
    return this.#material.client;
  }

  /** After a handshake in which we were dialled; the error says why the other end is refused. */
  async checkDialler(socket: TLSSocket): Promise<Result<void, string>> {
    const chain = chainOf(socket);
    if (!this.settings.requireClientCert) return ok(undefined);
    const checked = checkCertificates(chain, this.settings, this.#material.revoked);
    const [own] = chain;
    if (!checked.ok || own === undefined || this.settings.skipClientSanVerification) return checked;
    // After the other end hung up there is no address any more.
    const { remoteAddress } = socket;
    return remoteAddress === undefined ? err('hung up') : checkAddress(own, remoteAddress);
  }

  /** After a handshake in which we dialled. */
  checkListener(socket: TLSSocket): Result<void, string> {
    const { selfSigned } = this.settings;
    if (selfSigned) return ok(undefined);
    return checkCertificates(chainOf(socket), this.settings, this.#material.revoked);
  }

  #refresh(): void {
    const nowNs = this.#clock.nowNs();
    if (nowNs - this.#lookedAtNs < LOOK_EVERY_NS) return;
    this.#lookedAtNs = nowNs;
    const fingerprint = fingerprintOf(this.settings);
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    const material = readMaterial(this.settings);
    if (!material.ok) {
      this.#log.warn('new TLS files cannot be used; the old ones stay', { reason: material.error });
      return;
    }
    this.#material = material.value;
    this.#generation += 1;
    this.#log.info('TLS files were read again', { files: fileNames(this.settings) });
  }
}

/** Between two looks at the files. */
const LOOK_EVERY_NS = 1e9;

function fileNames(settings: TlsSettings): readonly string[] {
  const { certFile, trustedCaFile, crlFile } = settings;
  return [certFile, trustedCaFile, crlFile].filter((path) => path !== undefined);
}

/** How one side of the server, clients' or peers', does TLS. Paths may change what they hold. */
export interface TlsSettings {
  /** Shown to whoever dials; both undefined: this side only dials. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Shown to whom we dial; undefined: the same. */
  readonly clientCertFile: string | undefined;
  readonly clientKeyFile: string | undefined;
  /** Undefined: the authorities that come with Node. */
  readonly trustedCaFile: string | undefined;
  readonly crlFile: string | undefined;
  /** Whoever dials must show a certificate that the authorities signed. */
  readonly requireClientCert: boolean;
  /** One of them must be the certificate's common name; empty: any will do. */
  readonly allowedCns: readonly string[];
  /** The certificate must be good for one of them; empty: any will do. */
  readonly allowedHostnames: readonly string[];
  /** Do not compare the address of who dials with the names in the certificate. */
  readonly skipClientSanVerification: boolean;
  /** Names that OpenSSL knows, separated by colons; undefined: its choice. */
  readonly cipherSuites: string | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion | undefined;
  /** The certificate was made by the server itself; that of whom we dial is not looked at. */
  readonly selfSigned: boolean;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

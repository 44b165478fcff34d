import type { FlagSpec } from './flag-spec.ts';

/** Certificates and tokens: who may connect, and as whom. */

export type SecurityFlag =
  | 'cert-file'
  | 'key-file'
  | 'client-cert-file'
  | 'client-key-file'
  | 'client-cert-auth'
  | 'trusted-ca-file'
  | 'client-crl-file'
  | 'client-cert-allowed-cn'
  | 'client-cert-allowed-hostname'
  | 'auto-tls'
  | 'peer-cert-file'
  | 'peer-key-file'
  | 'peer-client-cert-file'
  | 'peer-client-key-file'
  | 'peer-client-cert-auth'
  | 'peer-trusted-ca-file'
  | 'peer-crl-file'
  | 'peer-cert-allowed-cn'
  | 'peer-cert-allowed-hostname'
  | 'peer-skip-client-san-verification'
  | 'peer-auto-tls'
  | 'self-signed-cert-validity'
  | 'cipher-suites'
  | 'tls-min-version'
  | 'tls-max-version'
  | 'auth-token'
  | 'auth-token-ttl'
  | 'bcrypt-cost'
  | 'cors'
  | 'host-whitelist';

export const SECURITY_FLAGS: Readonly<Record<SecurityFlag, FlagSpec>> = {
  'cert-file': { argument: 'PATH', fallback: '', help: 'certificate shown to clients' },
  'key-file': { argument: 'PATH', fallback: '', help: 'its private key' },
  'client-cert-file': {
    argument: 'PATH',
    fallback: '',
    help: 'certificate used when dialling a client port; cert-file unless given',
  },
  'client-key-file': { argument: 'PATH', fallback: '', help: 'its private key' },
  'client-cert-auth': {
    argument: undefined,
    fallback: 'false',
    help: 'clients must show a certificate of trusted-ca-file',
  },
  'trusted-ca-file': {
    argument: 'PATH',
    fallback: '',
    help: 'authorities that sign the certificates of clients',
  },
  'client-crl-file': {
    argument: 'PATH',
    fallback: '',
    help: 'certificates of clients that are revoked',
  },
  'client-cert-allowed-cn': {
    argument: 'NAMES',
    fallback: '',
    help: 'common names, one of which a certificate of a client must have',
  },
  'client-cert-allowed-hostname': {
    argument: 'NAMES',
    fallback: '',
    help: 'host names, one of which a certificate of a client must have',
  },
  'auto-tls': {
    argument: undefined,
    fallback: 'false',
    help: 'make a certificate for clients at the first start',
  },
  'peer-cert-file': { argument: 'PATH', fallback: '', help: 'certificate shown to peers' },
  'peer-key-file': { argument: 'PATH', fallback: '', help: 'its private key' },
  'peer-client-cert-file': {
    argument: 'PATH',
    fallback: '',
    help: 'certificate used when dialling peers; peer-cert-file unless given',
  },
  'peer-client-key-file': { argument: 'PATH', fallback: '', help: 'its private key' },
  'peer-client-cert-auth': {
    argument: undefined,
    fallback: 'false',
    help: 'peers must show a certificate of peer-trusted-ca-file',
  },
  'peer-trusted-ca-file': {
    argument: 'PATH',
    fallback: '',
    help: 'authorities that sign the certificates of peers',
  },
  'peer-crl-file': {
    argument: 'PATH',
    fallback: '',
    help: 'certificates of peers that are revoked',
  },
  'peer-cert-allowed-cn': {
    argument: 'NAMES',
    fallback: '',
    help: 'common names, one of which the certificate of a peer must have',
  },
  'peer-cert-allowed-hostname': {
    argument: 'NAMES',
    fallback: '',
    help: 'host names, one of which the certificate of a peer must have',
  },
  'peer-skip-client-san-verification': {
    argument: undefined,
    fallback: 'false',
    help: 'do not compare the address of a peer with its certificate',
  },
  'peer-auto-tls': {
    argument: undefined,
    fallback: 'false',
    help: 'make a certificate for peers at the first start',
  },
  'self-signed-cert-validity': {
    argument: 'YEARS',
    fallback: '1',
    help: 'how long certificates that were made are good',
  },
  'cipher-suites': {
    argument: 'NAMES',
    fallback: '',
    help: 'cipher suites of TLS 1.2, by the names of Go',
  },
  'tls-min-version': {
    argument: 'TLS1.2|TLS1.3',
    fallback: 'TLS1.2',
    help: 'oldest version of TLS',
  },
  'tls-max-version': {
    argument: 'TLS1.2|TLS1.3',
    fallback: '',
    help: 'newest version of TLS; the newest there is unless given',
  },
  'auth-token': {
    argument: 'simple|jwt,…',
    fallback: 'simple',
    help: 'kind of token: simple, or jwt,pub-key=…,priv-key=…,sign-method=…,ttl=…',
  },
  'auth-token-ttl': {
    argument: 'S',
    fallback: '300',
    help: 'seconds until an unused simple token ends',
  },
  'bcrypt-cost': { argument: 'COST', fallback: '10', help: 'cost of hashing a password, 4 to 31' },
  cors: { argument: 'ORIGINS', fallback: '*', help: 'origins that browsers may call from' },
  'host-whitelist': {
    argument: 'NAMES',
    fallback: '*',
    help: 'host names that HTTP requests without TLS may be for',
  },
};

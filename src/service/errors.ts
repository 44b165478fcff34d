/**
 * The one table of errors: code and exact text as etcd sends them, and whether the refused
 * request certainly had no effect. The server answers from it; the client looks its answers up
 * in it, those of a real etcd too, which is why errors are here that we never send.
 */
import type { RequestFailure } from '../member/failure.ts';

/** What a client is told. */
export interface ServiceError {
  /** gRPC status code number. */
  readonly code: number;
  /** etcd's exact text. */
  readonly message: string;
  /** true: the request certainly had no effect. */
  readonly definite: boolean;
}

/** Requests that are refused before anything is done about them. */
export type ValidationFailure =
  | 'keyNotProvided'
  /** Also what etcd calls an operation of a transaction that is none. */
  | 'keyNotFound'
  | 'valueProvided'
  | 'leaseProvided'
  | 'tooManyOps'
  | 'duplicateKey'
  /** For the decoders: an unknown order or target cannot be expressed further in. */
  | 'invalidSortOption'
  | 'notSupportedForLearner'
  | 'invalidUrls'
  /** Of a range: too many large answers at once. */
  | 'rangesTooLarge'
  | 'transferTimeout'
  | 'badDowngradeFormat'
  | 'badDowngradeVersion'
  | 'downgradeInProgress'
  | 'noDowngrade'
  /** Longer than bcrypt looks at. */
  | 'passwordTooLong'
  /** A login, of a member that can only verify signed tokens. */
  | 'tokensVerifyOnly'
  /** The client has gone; nobody reads it. */
  | 'canceled'
  /** Of who waited for a lock: its key is gone, with its lease or by somebody's hand. */
  | 'sessionExpired'
  | 'electionNoLeader'
  | 'electionNotLeader'
  | 'electionLeaderMissing';

export type ServiceFailure = RequestFailure | ValidationFailure;

/** gRPC status codes, by number, that etcd's errors have. */
const CODE = {
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

type CodeName = keyof typeof CODE;

function definite(code: CodeName, text: string): ServiceError {
  return { code: CODE[code], message: `etcdserver: ${text}`, definite: true };
}

/** The request may still take effect, or already has. */
function indefinite(code: CodeName, text: string): ServiceError {
  return { code: CODE[code], message: `etcdserver: ${text}`, definite: false };
}

/** Without etcd's usual prefix. */
function foreign(message: string): ServiceError {
  return { code: CODE.unknown, message, definite: true };
}

const OURS: Readonly<Record<ServiceFailure, ServiceError>> = {
  keyNotProvided: definite('invalidArgument', 'key is not provided'),
  keyNotFound: definite('invalidArgument', 'key not found'),
  valueProvided: definite('invalidArgument', 'value is provided'),
  leaseProvided: definite('invalidArgument', 'lease is provided'),
  tooManyOps: definite('invalidArgument', 'too many operations in txn request'),
  duplicateKey: definite('invalidArgument', 'duplicate key given in txn request'),
  invalidSortOption: definite('invalidArgument', 'invalid sort option'),
  requestTooLarge: definite('invalidArgument', 'request is too large'),
  compacted: definite('outOfRange', 'mvcc: required revision has been compacted'),
  futureRevision: definite('outOfRange', 'mvcc: required revision is a future revision'),
  leaseNotFound: definite('notFound', 'requested lease not found'),
  notSupportedForLearner: definite('failedPrecondition', 'rpc not supported for learner'),
  // Declared as ResourceExhausted in etcd, which sends it as Unknown all the same.
  tooManyRequests: definite('unknown', 'too many requests'),
  noLeader: definite('unavailable', 'no leader'),
  // Only reads wait for a leader to confirm itself, and they have no effect.
  leaderChanged: definite('unavailable', 'leader changed'),
  stopped: indefinite('unavailable', 'server stopped'),
  timeout: indefinite('unavailable', 'request timed out'),
  timeoutLeaderFailed: indefinite(
    'unavailable',
    'request timed out, possibly due to previous leader failure',
  ),
  userEmpty: definite('invalidArgument', 'user name is empty'),
  roleEmpty: definite('invalidArgument', 'role name is empty'),
  authFailed: definite('invalidArgument', 'authentication failed, invalid user ID or password'),
  permissionNotGiven: definite('invalidArgument', 'permission not given'),
  invalidAuthMgmt: definite('invalidArgument', 'invalid auth management'),
  authOldRevision: definite('invalidArgument', 'revision of auth store is old'),
  leaseTtlTooLarge: definite('outOfRange', 'too large lease TTL'),
  // A real etcd may say so of a write that it has applied, when the space ran out meanwhile.
  noSpace: indefinite('resourceExhausted', 'mvcc: database space exceeded'),
  memberNotFound: definite('notFound', 'member not found'),
  leaseExists: definite('failedPrecondition', 'lease already exists'),
  memberExists: definite('failedPrecondition', 'member ID already exist'),
  peerUrlExists: definite('failedPrecondition', 'Peer URLs already exists'),
  memberNotLearner: definite('failedPrecondition', 'can only promote a learner member'),
  learnerNotReady: definite(
    'failedPrecondition',
    'can only promote a learner member which is in sync with leader',
  ),
  tooManyLearners: definite('failedPrecondition', 'too many learner members in cluster'),
  rootUserNotExist: definite('failedPrecondition', 'root user does not exist'),
  rootRoleNotExist: definite('failedPrecondition', 'root user does not have root role'),
  userAlreadyExist: definite('failedPrecondition', 'user name already exists'),
  userNotFound: definite('failedPrecondition', 'user name not found'),
  roleAlreadyExist: definite('failedPrecondition', 'role name already exists'),
  roleNotFound: definite('failedPrecondition', 'role name not found'),
  roleNotGranted: definite('failedPrecondition', 'role is not granted to the user'),
  permissionNotGranted: definite('failedPrecondition', 'permission is not granted to the role'),
  authNotEnabled: definite('failedPrecondition', 'authentication is not enabled'),
  notLeader: definite('failedPrecondition', 'not leader'),
  badTransferee: definite('failedPrecondition', 'bad leader transferee'),
  notEnoughStarted: definite(
    'unknown',
    're-configuration failed due to not enough started members',
  ),
  unhealthyCluster: definite('unavailable', 'unhealthy cluster'),
  rangesTooLarge: definite(
    'resourceExhausted',
    'too much to read at once; read in parts, with a limit',
  ),
  invalidUrls: definite('invalidArgument', 'given member URLs are invalid'),
  transferTimeout: indefinite('unknown', 'request timed out, leader transfer took too long'),
  badDowngradeFormat: definite('invalidArgument', 'wrong downgrade target version format'),
  badDowngradeVersion: definite('invalidArgument', 'invalid downgrade target version'),
  downgradeInProgress: definite('failedPrecondition', 'cluster has a downgrade job in progress'),
  noDowngrade: definite('failedPrecondition', 'no inflight downgrade job'),
  permissionDenied: definite('permissionDenied', 'permission denied'),
  invalidAuthToken: definite('unauthenticated', 'invalid auth token'),
  // Members disagree about what happened, so nothing they say of it is certain.
  corrupt: indefinite('dataLoss', 'corrupt cluster'),
  canceled: indefinite('canceled', 'request canceled'),
  // Errors that etcd has no code for, from inside it.
  sessionExpired: foreign('mutex: session is expired'),
  electionNoLeader: foreign('election: no leader'),
  electionNotLeader: foreign('election: not leader'),
  electionLeaderMissing: foreign('"leader" field must be provided'),
  noPasswordUser: foreign('auth: authentication failed, password was given for no password user'),
  tokensVerifyOnly: foreign('auth: token signing attempted with verify-only key'),
  passwordTooLong: foreign('bcrypt: password length exceeds 72 bytes'),
};

const OTHERS: readonly ServiceError[] = [
  definite('invalidArgument', 'invalid client api version'),
  definite('failedPrecondition', 'cluster ID mismatch'),
  definite('failedPrecondition', 'not capable'),
  definite('failedPrecondition', 'cluster version not found during downgrade'),
  indefinite('unavailable', 'request timed out, possibly due to connection lost'),
  indefinite('unavailable', 'request timed out, waiting for the applied index took too long'),
  indefinite('canceled', 'watch canceled'),
  // Of who renews a lease where no leader is.
  { code: CODE.unknown, message: 'not a primary lessor', definite: false },
  indefinite('deadlineExceeded', 'context deadline exceeded'),
];

/** Every error there is a row for. */
export const ALL_ERRORS: readonly ServiceError[] = [...Object.values(OURS), ...OTHERS];

const BY_MESSAGE: ReadonlyMap<string, ServiceError> = new Map(
  ALL_ERRORS.map((error) => [error.message, error]),
);

/** The row of a failure. */
export function serviceError(failure: ServiceFailure): ServiceError {
  return OURS[failure];
}

/** Whether the name, which another member sent, is one of ours. */
export function isServiceFailure(name: string): name is ServiceFailure {
  return Object.hasOwn(OURS, name);
}

/**
 * Whether a server's error answer rules out that the request had an effect. Code and text must
 * both be known: anything else may come from a proxy or a connection that broke half-way.
 */
export function definiteness(code: number, message: string): boolean {
  const known = BY_MESSAGE.get(message);
  return known?.code === code && known.definite;
}

/** Whether a caller may watch a range, in the words in which a watcher is refused. */
import type { AuthGate } from './auth-gate.ts';
import type { Caller } from './caller.ts';
import { type ServiceError, serviceError } from './errors.ts';

/** How Go prints the codes that a refusal can have. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  2: 'Unknown',
  3: 'InvalidArgument',
  7: 'PermissionDenied',
  16: 'Unauthenticated',
};

/** A gRPC error as etcd writes it into a cancel reason, which has no room for a code. */
export function cancelReason({ code, message }: ServiceError): string {
  return `rpc error: code = ${CODE_NAMES[code] ?? 'Unknown'} desc = ${message}`;
}

export type WatchGate = Pick<AuthGate, 'identify' | 'admit' | 'permit'>;

/**
 * The reason to refuse, undefined: none. A promise only if the caller's login has not been
 * applied here yet.
 */
export function refuseWatch(
  gate: WatchGate,
  caller: Caller,
  range: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
): string | undefined | Promise<string | undefined> {
  const who = gate.identify(caller);
  if (!who.ok && who.error === 'invalidAuthToken') {
    return gate.admit(caller).then((admission) => {
      return admission.ok ? refuseRange(gate, caller, range) : reasonFor(admission.error);
    });
  }
  return refuseRange(gate, caller, range);
}

function refuseRange(
  gate: WatchGate,
  caller: Caller,
  { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
): string | undefined {
  const permitted = gate.permit(caller, { type: 'range', key, rangeEnd });
  return permitted.ok ? undefined : reasonFor(permitted.error);
}

/** etcd tells three kinds of failure apart; all others look like a missing permission. */
function reasonFor(failure: string): string {
  switch (failure) {
    case 'invalidAuthToken':
    case 'authOldRevision':
    case 'userEmpty':
      return cancelReason(serviceError(failure));
    default:
      return cancelReason(serviceError('permissionDenied'));
  }
}

import { err } from '../../lib/result.ts';
import { serviceError } from '../../service/errors.ts';
import type { RpcMethod, UnaryContext } from '../rpc.ts';
import type { Services } from '../services.ts';
import type { ServingStatus } from '../serving-status.ts';
import { authMethods } from './auth-methods.ts';
import { clusterMethods } from './cluster-methods.ts';
import { electionMethods } from './election-methods.ts';
import { healthMethods } from './health-methods.ts';
import { kvMethods } from './kv-methods.ts';
import { leaseMethods } from './lease-methods.ts';
import { lockMethods } from './lock-methods.ts';
import { maintenanceMethods } from './maintenance-methods.ts';
import { watchMethods } from './watch-methods.ts';

/** etcd's methods over the services: which bytes mean which call. */
export function etcdMethods(services: Services, serving?: ServingStatus): RpcMethod[] {
  const refuses = (context: UnaryContext): boolean =>
    context.metadata(REQUIRE_LEADER) === 'true' && !services.hasLeader();
  return allMethods(services, serving).map((method) => insistOnLeader(method, refuses));
}

const REQUIRE_LEADER = 'hasleader';

/** A caller that wants a leader is refused at once while there is none; streams look later too. */
function insistOnLeader(method: RpcMethod, refuses: (context: UnaryContext) => boolean): RpcMethod {
  if (method.type !== 'unary') return method;
  const { handle } = method;
  return {
    ...method,
    handle: (request, context) =>
      refuses(context) ? Promise.resolve(err(serviceError('noLeader'))) : handle(request, context),
  };
}

function allMethods(services: Services, serving?: ServingStatus): RpcMethod[] {
  return [
    ...kvMethods(services.kv),
    ...clusterMethods(services.cluster),
    ...maintenanceMethods(services.maintenance),
    ...healthMethods(serving),
    ...watchMethods(services.watch),
    ...leaseMethods(services.lease),
    ...authMethods(services.auth),
    ...lockMethods(services.lock),
    ...electionMethods(services.election),
  ];
}

/** The frame around every answer. */
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { MemberNode } from '../member/node.ts';
import { type ServiceError, type ServiceFailure, serviceError } from './errors.ts';
import type { Answer, ResponseHeader } from './response.ts';

/** `revision`: the store's when the request was applied or read. */
export function answer<Value>(
  node: MemberNode,
  revision: Revision,
  result: Value,
): Result<Answer<Value>, ServiceError> {
  return ok({ header: headerOf(node, revision), result });
}

export function headerOf(node: Pick<MemberNode, 'status'>, revision: Revision): ResponseHeader {
  const { clusterId, memberId, term } = node.status();
  return { clusterId, memberId, revision, raftTerm: term };
}

/** An answer without a header, as errors are. */
export function refuse(failure: ServiceFailure): Result<never, ServiceError> {
  return err(serviceError(failure));
}

/** An administrator's patience: other faults go on, elections come, and answers get lost. */
import type { ClientError } from '../../src/client/client-error.ts';
import type { Result } from '../../src/lib/result.ts';
import { ClusterError, type ClusterNode } from '../cluster/cluster.ts';
import type { MemberControl } from '../cluster/member-control.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import { expectedNames, nodeNamed } from '../nemesis/target.ts';
import { sleep } from '../timing.ts';

const RETRY_MS = 150;

/** How the members of this cluster can be administered; a {@link ClusterError} if not at all. */
export function controlOf({ cluster }: NemesisContext): MemberControl {
  if (cluster.control === undefined) {
    throw new ClusterError(`the members of ${cluster.backend} cannot be administered`);
  }
  return cluster.control;
}

/** Whom to ask: members that were not given up, but for `except`. */
export function nodesToAsk(context: NemesisContext, except?: string): readonly ClusterNode[] {
  const names = expectedNames(context).filter((name) => name !== except);
  return names.map((name) => nodeNamed(context, name));
}

export interface Insistence {
  /** In words, for the error. */
  readonly what: string;
  readonly nodes: readonly ClusterNode[];
  readonly limitMs: number;
}

/**
 * Asks one of the members after the other until one answers well. Throws {@link ClusterError}
 * with the last refusal when `limitMs` have passed.
 */
export async function insist<Value>(
  { clock }: NemesisContext,
  { what, nodes, limitMs }: Insistence,
  ask: (node: ClusterNode) => Promise<Result<Value, ClientError>>,
): Promise<Value> {
  const endNs = clock.nowNs() + limitMs * 1e6;
  let refusal = 'there is nobody to ask';
  for (let turn = 0; nodes.length > 0; turn++) {
    const answer = await ask(nodes[turn % nodes.length]!);
    if (answer.ok) return answer.value;
    refusal = answer.error.message;
    if (clock.nowNs() >= endNs) break;
    await sleep(clock, RETRY_MS);
  }
  throw new ClusterError(`${what}: ${refusal}`);
}

/** From the nemesis's steps to stretches of time, and to the links that a partition cuts. */
import {
  bridgeGrudge,
  type CutLink,
  cutLinks,
  isolateGrudge,
  oneWayGrudge,
  ringGrudge,
  splitGrudge,
} from '../../nemesis/grudge.ts';
import type { TraceEvent } from '../../sim/trace.ts';

export type FaultTrace = Extract<TraceEvent, { type: 'fault' }>;

export interface FaultWindow {
  readonly id: number;
  readonly kind: string;
  readonly description: string;
  readonly nodes: readonly string[];
  readonly fromNs: number;
  /** Healed; infinite while it lasts. */
  toNs: number;
}

/** Steps of one fault, joined by its id and kind. Other steps are marks without a length. */
export class FaultWindows {
  readonly #windows: FaultWindow[] = [];
  readonly #open = new Map<string, FaultWindow>();

  get all(): readonly FaultWindow[] {
    return this.#windows;
  }

  push({ atNs, id, kind, step, description, nodes }: FaultTrace): void {
    const key = `${id} ${kind}`;
    const open = this.#open.get(key);
    if ((step === 'inject' || step === 'injected') && open === undefined) {
      const toNs = Number.POSITIVE_INFINITY;
      const window: FaultWindow = { id, kind, description, nodes, fromNs: atNs, toNs };
      this.#windows.push(window);
      this.#open.set(key, window);
    } else if (step === 'healed' && open !== undefined) {
      open.toNs = atNs;
      this.#open.delete(key);
    }
  }

  /** From its first step on, up to and without the moment of its last. */
  activeAt(atNs: number): readonly FaultWindow[] {
    return this.#windows.filter(({ fromNs, toNs }) => fromNs <= atNs && atNs < toNs);
  }
}

/** As harness/nemesis/partition.ts cuts them; nothing for faults of another kind. */
export function linksCutBy(
  fault: Pick<FaultWindow, 'kind' | 'nodes' | 'description'>,
  memberNames: readonly string[],
): readonly CutLink[] {
  const { kind, nodes, description } = fault;
  const [first] = nodes;
  if (first === undefined) return [];
  switch (kind) {
    case 'partition-one':
    case 'partition-leader':
      return cutLinks(isolateGrudge(memberNames, first));
    case 'partition-halves': {
      const others = memberNames.filter((name) => !nodes.includes(name));
      return cutLinks(splitGrudge(nodes, others));
    }
    case 'partition-one-way': {
      const drops = description.startsWith('messages to ') ? 'incoming' : 'outgoing';
      return cutLinks(oneWayGrudge(memberNames, first, drops));
    }
    case 'partition-ring':
      return cutLinks(nodes.length < 4 ? bridgeGrudge(nodes, first) : ringGrudge(nodes));
    default:
      return [];
  }
}

import type { Checker } from '../checkers/checker.ts';
import type { Json } from '../checkers/history/op.ts';
import type { Generator, Invocation } from './generator/generator.ts';

/** One kind of test: what clients do, and what their history must satisfy. */
export interface Workload {
  readonly name: string;
  /** The functions it invokes; when workloads are composed these tell their ops apart. */
  readonly fs: readonly string[];
  /** A client for one process, connected to one member. Opening must not touch the store. */
  openClient(endpoint: string): WorkloadClient;
  readonly generator: Generator;
  /** After all faults are healed: the reads that settle what is there. */
  readonly finalGenerator: Generator;
  readonly checkers: readonly Checker[];
}

/** How an operation ended, as the client knows it. */
export type Completion =
  | { readonly type: 'ok'; readonly value: Json; readonly revision?: number }
  | { readonly type: 'fail' | 'info'; readonly error: string };

export interface WorkloadClient {
  /** Never rejects; `timeoutMs` bounds it. Errors map to `fail` only when the op certainly did not happen. */
  invoke(op: Invocation, timeoutMs: number): Promise<Completion>;
  close(): void;
}

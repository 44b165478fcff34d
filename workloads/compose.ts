/** Several workloads in one run: their clients side by side, told apart by function. */
import { assert } from '../src/lib/assert.ts';
import { phases } from './generator/sequence.ts';
import { reserve } from './generator/threads.ts';
import { validated } from './generator/validated.ts';
import type { Workload, WorkloadClient } from './workload.ts';

/** A workload and how many of the run's threads are its own. */
export interface Share {
  readonly threads: number;
  readonly workload: Workload;
}

/**
 * Threads are shared out in order, and left idle beyond; at the end the final generators run one
 * after the other, each over all threads. No two workloads may use the same function.
 */
export function compose(name: string, shares: readonly Share[]): Workload {
  const workloads = shares.map((share) => share.workload);
  const fs = workloads.flatMap((workload) => workload.fs);
  assert(new Set(fs).size === fs.length, `workloads of ${name} share a function: ${fs.join(' ')}`);
  const parts = shares.map(({ threads, workload }) => ({
    threads,
    generator: validated(workload.fs, workload.generator),
  }));
  return {
    name,
    fs,
    openClient: (endpoint) => openClients(workloads, endpoint),
    generator: reserve(parts),
    finalGenerator: validated(fs, phases(...workloads.map((each) => each.finalGenerator))),
    checkers: workloads.flatMap((workload) => workload.checkers),
  };
}

/** One client a workload, opened when the first of its operations comes. */
function openClients(workloads: readonly Workload[], endpoint: string): WorkloadClient {
  const opened = new Map<string, WorkloadClient>();
  const clientFor = (f: string): WorkloadClient => {
    const workload = workloads.find((each) => each.fs.includes(f));
    assert(workload !== undefined, `no workload knows the function ${f}`);
    const client = opened.get(workload.name) ?? workload.openClient(endpoint);
    opened.set(workload.name, client);
    return client;
  };
  return {
    invoke: (op, timeoutMs) => clientFor(op.f).invoke(op, timeoutMs),
    close: () => {
      for (const client of opened.values()) client.close();
      opened.clear();
    },
  };
}

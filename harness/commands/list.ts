/** `storm list`: the failure modes that `storm repro` knows by name. */
import { SCENARIOS } from '../scenarios/registry.ts';
import type { Services } from '../services.ts';

export async function listCommand({ progress }: Services): Promise<number> {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  for (const { name, story, affected, expected } of SCENARIOS) {
    const { stormraft, etcd } = expected;
    progress.print(`${name.padEnd(width)}  ${story}`);
    progress.print(`${' '.repeat(width)}  affected: ${affected}`);
    progress.print(`${' '.repeat(width)}  stormraft: ${stormraft.outcome}; etcd: ${etcd.outcome}`);
  }
  return 0;
}

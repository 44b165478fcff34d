import { expect, test } from 'vitest';
import { type Backend, ClusterError } from '../../harness/cluster/cluster.ts';
import { simOnlyReports, WithoutSimFaults } from '../../harness/cluster/not-possible.ts';
import {
  DEFAULT_FAULT_KINDS,
  FAULT_KINDS,
  FAULT_PACKAGES,
} from '../../harness/nemesis/packages.ts';

class Fake extends WithoutSimFaults {
  readonly backend: Backend = 'docker';
}

test('every new operation is refused, with words that help', async () => {
  const fake = new Fake();
  const refused = [fake.setSlowness()];
  for (const call of refused) {
    const error = await call.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ClusterError);
    expect(String(error)).toContain('not built for docker yet; the simulator has it: storm sim');
  }
});

test('no default needs what only the simulator has', () => {
  const lacking = new Set(simOnlyReports('process').map(({ capability }) => capability));
  const kinds = FAULT_KINDS.filter((kind) => lacking.has(FAULT_PACKAGES[kind].needs));
  expect(kinds.length).toBeGreaterThan(0);
  for (const kind of kinds) expect(DEFAULT_FAULT_KINDS).not.toContain(kind);
  expect(simOnlyReports('process').some(({ available }) => available)).toBe(false);
});

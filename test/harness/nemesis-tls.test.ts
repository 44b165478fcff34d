/** The rotation of certificates, on a cluster that only says what it was told. */
import { describe, expect, test } from 'vitest';
import type { TlsControl } from '../../harness/cluster/tls-files.ts';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { makePlan } from '../../harness/plan.ts';
import { ALL_CAPABILITIES, FakeCluster, type FakeFlaws } from './fake-cluster.ts';
import { inTurn, type Ran, run } from './nemesis-lab.ts';

const ROTATION: FaultSpec = { kind: 'cert-rotation', of: 'all' };

/** Every member shows its newest certificate, unless it is one of `stubborn`. */
function control(calls: string[], stubborn: readonly string[] = []): TlsControl {
  const shown = new Map<string, string>();
  let issued = 0;
  return {
    renewCertificate: async (node) => {
      calls.push(`renew ${node}`);
      issued += 1;
      if (!stubborn.includes(node)) shown.set(node, `${issued}`);
      return `${issued}`;
    },
    changeBundle: async () => {
      calls.push('bundle');
    },
    shownSerial: async (node) => shown.get(node),
  };
}

function rotate(stubborn: readonly string[] = [], flaws: FakeFlaws = {}): Promise<Ran> {
  const cluster = new FakeCluster(flaws);
  cluster.tls = control(cluster.calls, stubborn);
  return run(inTurn([ROTATION]), { cluster });
}

describe('cert-rotation', () => {
  test('replaces all certificates, half way the authorities, and makes peers dial again', async () => {
    const { cluster, records } = await rotate();
    const steps = ['renew n1', 'renew n2', 'bundle', 'renew n3', 'reset 6 links'];
    expect(cluster.calls).toEqual(steps);
    expect(records[0]).toMatchObject({
      effect: 'observed',
      description: 'new certificates for n1, n2, n3, another list of authorities half way',
      observation:
        '3 of 3 show the new certificate; 1 connections of peers were reset, then 3 of 3 answered reads',
    });
  });

  test('members that go on showing the old one are told, and if all do, nothing happened', async () => {
    const { records } = await rotate(['n2']);
    expect(records[0]!.observation).toContain('2 of 3 show the new certificate');
    const nothing = await rotate(['n1', 'n2', 'n3']);
    expect(nothing.records[0]!.effect).toBe('no-effect');
  });

  test('a member that answers no reads is told, and holds nothing up', async () => {
    const { records } = await rotate([], { unreadable: ['n3'] });
    expect(records[0]).toMatchObject({ effect: 'observed' });
    expect(records[0]!.observation).toContain('then 2 of 3 answered reads');
  });

  test('is left out, with the option that it needs, where members talk in the clear', () => {
    const detail = 'needs a TLS run: --tls';
    const clear = ALL_CAPABILITIES.map((one) =>
      one.capability === 'tls' ? { ...one, available: false, detail } : one,
    );
    const options = {
      seed: 1,
      memberCount: 3,
      heartbeatMs: 100,
      electionMs: 1000,
      timeLimitMs: 20_000,
      concurrency: 2,
      ratePerSecond: 10,
      faults: ['cert-rotation'],
      requiredFaults: [],
      target: { kind: 'stormraft', root: '/' },
    } as const;
    const plan = makePlan(options, 'process', clear);
    expect(plan.missingFaults).toEqual([{ kind: 'cert-rotation', detail }]);
    expect(makePlan(options, 'process', ALL_CAPABILITIES).schedule.length).toBeGreaterThan(0);
  });
});

/** Options about where members live: synthetic disks and TLS. */
import { describe, expect, test } from 'vitest';
import { runAgainCommand } from '../../harness/command-line.ts';
import { parseRunRequest, type RawRunOptions } from '../../harness/options.ts';
import { describePlan, makePlan } from '../../harness/plan.ts';
import { surroundingsOf } from '../../harness/surroundings.ts';
import { ALL_CAPABILITIES } from './fake-cluster.ts';

const parse = (raw: RawRunOptions) => parseRunRequest({ seed: '7', ...raw }, () => 0).options;

describe('--disk and --tls', () => {
  test('become what the cluster is made with, and are part of the plan', () => {
    const options = parse({ disk: 'hdd', tls: true });
    expect(surroundingsOf(options)).toMatchObject({
      disk: { fault: { type: 'latency', seed: 7, sync: { medianMs: 12 }, write: { ms: 0.1 } } },
      tls: true,
    });
    const plan = makePlan(options, 'process', ALL_CAPABILITIES);
    expect(describePlan(plan)).toContain('disks in memory, as slow as: hdd; TLS;');
    expect(runAgainCommand(plan)).toContain('--disk hdd --tls');
  });

  test('are nothing if not given', () => {
    expect(surroundingsOf(parse({}))).toEqual({});
    expect(runAgainCommand(makePlan(parse({}), 'process', []))).not.toMatch(/--disk|--tls/);
  });

  test.each<[RawRunOptions, string]>([
    [
      { disk: 'tape' },
      '--disk tape: unknown; use nvme, ssd, hdd, cloud-volume, network-disk, worn-disk',
    ],
    [{ disk: 'hdd', cluster: 'sim' }, '--disk: not for --cluster sim; leave one of them out'],
    [{ tls: true, cluster: 'sim' }, '--tls: not for --cluster sim; leave one of them out'],
  ])('%o is refused', (raw, message) => {
    expect(() => parse(raw)).toThrow(message);
  });
});

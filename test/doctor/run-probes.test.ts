/** Limits and order, with probes and a clock that are stood in for. */

import { expect, test } from 'vitest';
import { type Finding, no, type Probe, reasonOf, yes } from '../../harness/doctor/probe.ts';
import { runProbes } from '../../harness/doctor/run-probes.ts';
import { sleep } from '../../harness/timing.ts';
import { VirtualClock } from '../harness/virtual-clock.ts';

interface Scratch {
  readonly generation: number;
}

const clock = new VirtualClock();

function probe(mechanism: string, run: Probe<Scratch>['run']): Probe<Scratch> {
  return { mechanism, backend: 'process', usedBy: ['kill'], fallback: 'something else', run };
}

/** What came of the probes; `context` fails from the given generation on. */
async function examine(
  probes: readonly Probe<Scratch>[],
  options: { readonly signal?: AbortSignal; readonly failure?: string } = {},
): Promise<{ findings: Finding[]; started: string[]; discards: number }> {
  const started: string[] = [];
  let generation = 0;
  const findings = await runProbes(probes, {
    clock,
    limitMs: 20_000,
    signal: options.signal ?? new AbortController().signal,
    context: async () => {
      if (options.failure !== undefined) throw new Error(options.failure);
      return { generation };
    },
    discard: async () => {
      generation++;
    },
    onStart: ({ mechanism }) => started.push(mechanism),
  });
  return { findings, started, discards: generation };
}

test('a finding has everything that the probe says and what it measured', async () => {
  const { findings, started } = await examine([
    probe('one', async () => {
      await sleep(clock, 1_500);
      return yes('12 ms');
    }),
    probe('two', async () => no('not allowed')),
  ]);
  expect(started).toEqual(['one', 'two']);
  const shared = { backend: 'process', usedBy: ['kill'], fallback: 'something else' };
  expect(findings).toEqual([
    { ...shared, mechanism: 'one', works: true, detail: '12 ms', tookMs: 1_500 },
    { ...shared, mechanism: 'two', works: false, detail: 'not allowed', tookMs: 0 },
  ]);
});

test('a probe that throws is no, with its first line, and the next one runs', async () => {
  const { findings, discards } = await examine([
    probe('one', () => Promise.reject(new Error('permission denied.\nsecond line'))),
    probe('two', () => {
      throw new Error('at once');
    }),
    probe('three', async () => yes('')),
  ]);
  expect(findings.map(({ works, detail }) => [works, detail])).toEqual([
    [false, 'permission denied'],
    [false, 'at once'],
    [true, ''],
  ]);
  expect(discards).toBe(0);
});

test('a probe that hangs is no, is told to stop, and leaves nothing to the next', async () => {
  let told: AbortSignal | undefined;
  const { findings, discards } = await examine([
    probe('hangs', (_, signal) => {
      told = signal;
      return new Promise(() => undefined);
    }),
    probe('next', async ({ generation }) => yes(`generation ${generation}`)),
  ]);
  expect(findings[0]).toMatchObject({
    works: false,
    detail: 'took longer than 20 s',
    tookMs: 20_000,
  });
  expect(told?.aborted).toBe(true);
  expect(discards).toBe(1);
  expect(findings[1]?.detail).toBe('generation 1');
});

test('without scratch things nothing works, and every finding says why', async () => {
  let ran = false;
  const { findings } = await examine(
    ['one', 'two'].map((name) =>
      probe(name, async () => {
        ran = true;
        return yes('');
      }),
    ),
    { failure: 'no container daemon answers' },
  );
  expect(ran).toBe(false);
  expect(findings.map(({ works, detail }) => `${works} ${detail}`)).toEqual(
    Array(2).fill('false no container daemon answers'),
  );
});

test('an interrupt leaves out what has not begun', async () => {
  const ending = new AbortController();
  const { findings } = await examine(
    [
      probe('one', async (_, signal) => {
        ending.abort();
        return yes(`aborted ${signal.aborted}`);
      }),
      probe('two', async () => yes('')),
    ],
    { signal: ending.signal },
  );
  expect(findings.map(({ detail }) => detail)).toEqual(['aborted true']);
});

test('a reason is one line; a missing program is said to be missing', () => {
  expect(reasonOf(new Error('spawn tc ENOENT'))).toBe('tc is not installed');
  expect(reasonOf('sh: 1: nft: not found\n')).toBe('nft is not installed');
  expect(reasonOf('Error: Specified qdisc kind is unknown.\nmore')).toBe(
    'Error: Specified qdisc kind is unknown',
  );
  expect(reasonOf(new Error(''))).not.toBe('');
});

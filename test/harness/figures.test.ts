import { describe, expect, test } from 'vitest';
import type { Op } from '../../checkers/history/op.ts';
import { figuresOf } from '../../harness/figures.ts';
import { fsyncsSince, parseFsyncHistogram } from '../../harness/fsync-histogram.ts';
import { openProgress } from '../../harness/progress.ts';

function metrics(counts: readonly [number, number, number], sumSeconds: number): string {
  const name = 'etcd_disk_wal_fsync_duration_seconds';
  return [
    `# TYPE ${name} histogram`,
    `${name}_bucket{le="0.001"} ${counts[0]}`,
    `${name}_bucket{le="0.002"} ${counts[1]}`,
    `${name}_bucket{le="+Inf"} ${counts[2]}`,
    `${name}_sum ${sumSeconds}`,
    `${name}_count ${counts[2]}`,
    'etcd_server_has_leader 1',
  ].join('\n');
}

describe('fsync histogram', () => {
  const before = parseFsyncHistogram(metrics([10, 10, 10], 0.005))!;

  test('what happened between two polls', () => {
    const after = parseFsyncHistogram(metrics([10, 29, 30], 0.045))!;
    const delta = fsyncsSince(before, after)!;
    expect(delta).toMatchObject({ count: 20, p50Ms: 2, p99Ms: 2 });
    expect(delta.meanMs).toBeCloseTo(2);
  });

  test('a restarted member counts from zero, an idle one has no figures', () => {
    const restarted = parseFsyncHistogram(metrics([4, 4, 4], 0.002))!;
    expect(fsyncsSince(before, restarted)).toMatchObject({ count: 4, p50Ms: 1 });
    expect(fsyncsSince(before, before)).toBeUndefined();
    expect(fsyncsSince(undefined, before)).toMatchObject({ count: 10 });
  });

  test('a page without the metric', () => {
    expect(parseFsyncHistogram('up 1\n')).toBeUndefined();
  });
});

describe('figures', () => {
  function op(index: number, timeMs: number, process: number, type: Op['type']): Op {
    return { index, time: timeMs * 1e6, process, type, f: 'read', value: null };
  }

  test('counts by outcome, rate over the storm, latency of what succeeded', () => {
    const history: Op[] = [
      op(0, 0, 0, 'invoke'),
      op(1, 0, 1, 'invoke'),
      op(2, 10, 0, 'ok'),
      { ...op(3, 20, 0, 'info'), process: 'nemesis' },
      op(4, 900, 1, 'info'),
      op(5, 1000, 0, 'invoke'),
      op(6, 1500, 0, 'fail'),
    ];
    const figures = figuresOf(history, 1e9);
    expect(figures).toMatchObject({ ok: 1, fail: 1, info: 1, completed: 3, completedPerSecond: 2 });
    expect(figures.p50Ms).toBeCloseTo(10, 1);
    expect(figures.p99Ms).toBeCloseTo(10, 1);
  });
});

describe('progress', () => {
  test('piped: lines only; on a terminal the live line gives way to lines', () => {
    const piped: string[] = [];
    const plain = openProgress({ write: (text) => piped.push(text) });
    plain.live('1 of 40 s');
    plain.print('done');
    expect(piped).toEqual(['done\n']);
    const shown: string[] = [];
    const terminal = openProgress({
      isTTY: true,
      columns: 8,
      write: (text) => shown.push(text),
    });
    terminal.live('1 of 40 s');
    terminal.print('done');
    expect(shown).toEqual(['1 of 40', '\r\u001b[2K', 'done\n']);
  });
});

import { describe, expect, test } from 'vitest';
import type { Op } from '../../checkers/history/op.ts';
import { loadReportAssets } from '../../reports/assets.ts';
import { renderReportPage } from '../../reports/page.ts';
import type { RunRecord } from '../../reports/run-record.ts';
import { STYLE } from '../../reports/style.ts';
import { emptyRecord, sampleRecord } from './sample-record.ts';

const assets = await loadReportAssets();

function pageOf(record: Partial<RunRecord>): string {
  return renderReportPage({ ...emptyRecord(), ...record }, assets);
}

describe('the page', () => {
  const page = renderReportPage(sampleRecord({ operations: 200, seconds: 10 }), assets);

  test('may load nothing and refers to nothing outside itself', () => {
    expect(page).toContain('http-equiv="Content-Security-Policy"');
    expect(page).toContain('default-src &#39;none&#39;');
    const targets = [...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, target]) => target!);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !/^(#|data:)/.test(target))).toEqual([]);
    expect(page.match(/@import|url\(["']?(?!#)/g)).toBeNull();
  });

  test('links to sections that are there, under ids that are there once', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(id);
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(id);
  });

  test('uses only colours that the style sheet has', () => {
    const known = new Set([...STYLE.matchAll(/^ {2}--([\w-]+):/gm)].map(([, name]) => name));
    const data = JSON.parse(/id="chart-data">(.*?)<\/script>/.exec(page)![1]!) as {
      charts: { id: string; series: { colour: string }[] }[];
      bands: { colour: string }[];
    };
    const used = [...data.charts.flatMap((chart) => chart.series), ...data.bands];
    expect(used.filter(({ colour }) => !known.has(colour))).toEqual([]);
    expect(data.charts.map((chart) => chart.id)).toEqual([
      'latency',
      'quantiles',
      'throughput',
      'fsync',
    ]);
  });
});

describe('the sections', () => {
  test('say why a verdict is unknown', () => {
    const environment = [
      { name: 'why not valid', value: 'only 1 of 9 planned faults took effect' },
    ];
    const page = pageOf({ validity: 'unknown', environment });
    expect(page).toContain('<li>only 1 of 9 planned faults took effect</li>');
  });

  test('do without what ended ok', () => {
    const common = { process: 1, f: 'write', value: null };
    const history: Op[] = [
      { ...common, index: 0, time: 0, type: 'invoke' },
      { ...common, index: 1, time: 1e9, type: 'info', error: 'timeout' },
    ];
    const page = pageOf({ history, stormEndNs: 2e9, endNs: 3e9 });
    expect(page).toContain('no operation ended ok');
    expect(page).toContain('The slowest took 1 s, invoked at 0.000 s, and ended info.');
    expect(page).not.toContain('NaN');
  });

  test('shout when two members led in the same term', () => {
    const status = [
      { timeNs: 0, reachable: true, isLeader: true, term: 5, commitIndex: 1, appliedIndex: 1 },
    ];
    const [one, two] = ['n1', 'n2'].map((node) => ({ node, status, fsync: [] }));
    expect(pageOf({ members: [one!], endNs: 1e9 })).toContain('1 term, never two in the same.');
    const both = pageOf({ members: [one!, two!], endNs: 1e9 });
    expect(both).toContain('TWO IN THE SAME TERM, which must never be: 5.');
  });

  test('list a skipped fault, but draw none', () => {
    const { faults } = sampleRecord({ operations: 10, seconds: 10 });
    const skipped = { ...faults[0]!, effect: 'skipped' as const, observation: 'no FUSE here' };
    const page = pageOf({ faults: [skipped], endNs: 10e9 });
    expect(page).toContain('○ skipped');
    expect(page).toContain('no FUSE here');
    expect(page).toContain('"bands":[]');
  });

  test('bound the rows of a table, and say so', () => {
    const { faults } = sampleRecord({ operations: 10, seconds: 10 });
    const page = pageOf({ faults: Array.from({ length: 1_200 }, () => faults[0]!), endNs: 10e9 });
    expect(page).toContain('The first 1,000 of 1,200.');
  });
});

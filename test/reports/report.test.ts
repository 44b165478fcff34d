import { describe, expect, test } from 'vitest';
import { loadReportAssets } from '../../reports/assets.ts';
import { renderReportPage } from '../../reports/page.ts';
import { emptyRecord, sampleRecord } from './sample-record.ts';

const assets = await loadReportAssets();

/** The page without scripts, styles and data: what is there to read. */
function words(page: string): string {
  return page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '').replaceAll(/<[^>]+>/g, ' ');
}

describe('a report', () => {
  test('says the verdict first, then why, and how to run it again', () => {
    const text = words(renderReportPage(sampleRecord({ operations: 500, seconds: 10 }), assets));
    expect(text).toMatch(/✓\s+valid/);
    expect(text).toContain('register');
    expect(text).toContain('npm run storm -- run --seed 7');
    expect(text).toContain('4 of 4 cut links swallowed messages');
    expect(text.indexOf('valid')).toBeLessThan(text.indexOf('Latency of each operation'));
  });

  test('shows the counterexample of an invalid run, in words and as a drawing', () => {
    const record = sampleRecord({ operations: 500, seconds: 10, invalid: true });
    const page = renderReportPage(record, assets);
    expect(words(page)).toContain('though it began after process 0 wrote 4 to k1');
    expect(page.match(/<svg class="timeline"/g)?.length).toBe(1);
    const valid = renderReportPage(sampleRecord({ operations: 500, seconds: 10 }), assets);
    expect(valid).not.toContain('<svg class="timeline"');
  });

  test('names every fault with what was seen of it, also one without effect', () => {
    const record = sampleRecord({ operations: 100, seconds: 10 });
    const [fault] = record.faults;
    const faults = [fault!, { ...fault!, kind: 'slow-disk', effect: 'no-effect' as const }];
    const text = words(renderReportPage({ ...record, faults }, assets));
    expect(text).toContain('slow-disk');
    expect(text).toMatch(/no effect/);
  });

  test('of a run in which nothing happened still opens and says so', () => {
    const text = words(renderReportPage(emptyRecord(), assets));
    expect(text).toContain('unknown');
    expect(text).toContain('No operation completed.');
    expect(text).toContain('No faults were injected.');
    expect(text).toContain('No member reported its state.');
  });

  test('takes no text for markup, wherever it comes from', () => {
    const evil = '</script><img src=x onerror="alert(1)">';
    const record = sampleRecord({ operations: 60, seconds: 10, invalid: true });
    const page = renderReportPage(
      {
        ...record,
        title: evil,
        plan: { [evil]: evil },
        commands: [{ what: evil, command: evil }],
        environment: [{ name: evil, value: evil }],
        checks: record.checks.map((check) => ({ ...check, name: evil, summary: evil })),
        faults: record.faults.map((fault) => ({ ...fault, kind: evil, observation: evil })),
        members: record.members.map((member) => ({ ...member, node: evil })),
        history: record.history.map((op) => ({ ...op, node: evil, value: evil, f: evil })),
      },
      assets,
    );
    expect(page).not.toContain('<img');
    // Two scripts of ours and the data: nothing else opens or closes one.
    expect(page.match(/<script/g)?.length).toBe(3);
    expect(page.match(/<\/script/g)?.length).toBe(3);
  });

  test('is the same for the same record', () => {
    const record = sampleRecord({ operations: 300, seconds: 10 });
    expect(renderReportPage(record, assets)).toBe(renderReportPage(record, assets));
  });

  test('of 200,000 operations stays small', () => {
    const page = renderReportPage(sampleRecord({ operations: 200_000, seconds: 60 }), assets);
    expect(Buffer.byteLength(page)).toBeLessThan(5_000_000);
  });
});

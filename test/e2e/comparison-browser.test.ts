/// <reference lib="dom" />
/** The report of runs side by side, in a browser. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderComparison } from '../../reports/comparison/report.ts';
import { sampleRecord } from '../reports/sample-record.ts';
import { isChromiumMissing, launchChromium } from '../support/chromium.ts';

const missing = isChromiumMissing;

describe.skipIf(missing)(`a comparison in Chromium${missing ? ' (none at /usr/bin)' : ''}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-comparison-'));
  const file = join(directory, 'report.html');
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
    const runs = [12, 20].map((seconds, at) => ({
      name: at === 0 ? 'stormraft' : 'etcd',
      record: sampleRecord({ operations: 1_000, seconds }),
      href: `${at}/report.html`,
    }));
    const html = await renderComparison({ title: 'both', validity: 'valid', commands: [], runs });
    writeFileSync(file, html);
  });

  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  test('draws both charts below each other, without complaint, and zooms both', async () => {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const noise: string[] = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('canvas');
    const places = await page.$$eval('canvas', (canvases) =>
      canvases.map((canvas) => canvas.getBoundingClientRect().toJSON()),
    );
    expect(places).toHaveLength(2);
    expect(places[0]!.left).toBe(places[1]!.left);
    expect(places[0]!.width).toBe(places[1]!.width);
    expect(places[0]!.bottom).toBeLessThan(places[1]!.top);
    const pictures = () =>
      page.$$eval('canvas', (canvases) => canvases.map((canvas) => canvas.toDataURL()));
    const before = await pictures();
    await page.selectOption('#span', '1');
    await page.waitForTimeout(100);
    const after = await pictures();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(noise).toEqual([]);
    await page.close();
  });

  test('fits a narrow screen', async () => {
    const page = await browser.newPage({ viewport: { width: 400, height: 900 } });
    await page.goto(pathToFileURL(file).href);
    const overflowPx = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflowPx).toBe(0);
    await page.close();
  });
});

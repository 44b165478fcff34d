/// <reference lib="dom" />
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadReportAssets } from '../../reports/assets.ts';
import { renderReportPage } from '../../reports/page.ts';
import { sampleRecord } from '../reports/sample-record.ts';
import { isChromiumMissing, launchChromium } from '../support/chromium.ts';

const missing = isChromiumMissing;

test.runIf(missing && process.env.CI === 'true')('CI has Chromium', () => {
  expect(missing).toBe(false);
});

describe.skipIf(missing)(`a report in Chromium${missing ? ' (none at /usr/bin)' : ''}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-report-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
    const assets = await loadReportAssets();
    for (const invalid of [false, true]) {
      const record = sampleRecord({ operations: 2_000, seconds: 20, invalid });
      writeFileSync(fileOf(invalid), renderReportPage(record, assets));
    }
  });

  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  function fileOf(invalid: boolean): string {
    return join(directory, invalid ? 'invalid.html' : 'valid.html');
  }

  /** Opens the page; whatever it complains of or asks for is in `noise`. */
  async function open(options: { invalid?: boolean; dark?: boolean; widthPx?: number } = {}) {
    const page = await browser.newPage({
      viewport: { width: options.widthPx ?? 1200, height: 900 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    const noise: string[] = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) noise.push(request.url());
    });
    await page.goto(pathToFileURL(fileOf(options.invalid === true)).href);
    await page.waitForSelector('canvas');
    return { page, noise };
  }

  async function paperOf(page: Page): Promise<string> {
    return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  }

  test('draws its charts from a file, without network and without complaint', async () => {
    const { page, noise } = await open();
    const sizes = await page.$$eval('canvas', (canvases) =>
      canvases.map((canvas) => canvas.width * canvas.height),
    );
    expect(sizes.length).toBe(4);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(await page.isVisible('#verdict-title')).toBe(true);
    expect(noise).toEqual([]);
    await page.close();
  });

  test('something is drawn inside the axes', async () => {
    const { page } = await open();
    const colours = await page.$eval('#latency-plot canvas', (element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set<string>();
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3]! > 200) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
      }
      return seen.size;
    });
    expect(colours).toBeGreaterThan(4);
    await page.close();
  });

  test('shows one drawing of the counterexample when invalid', async () => {
    const { page } = await open({ invalid: true });
    expect(await page.$$eval('svg.timeline', (drawings) => drawings.length)).toBe(1);
    await page.close();
  });

  test('follows the theme of the reader', async () => {
    const light = await open();
    const dark = await open({ dark: true });
    expect(await paperOf(light.page)).not.toBe(await paperOf(dark.page));
    expect(dark.noise).toEqual([]);
    await Promise.all([light.page.close(), dark.page.close()]);
  });

  test('fits a narrow screen', async () => {
    const { page } = await open({ widthPx: 400, invalid: true });
    const overflowPx = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflowPx).toBe(0);
    await page.close();
  });

  test('is used by keyboard: copy buttons are reached, a fault is zoomed to and back', async () => {
    const { page } = await open();
    const reached = new Set<string>();
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => document.activeElement?.textContent ?? ''));
    }
    expect([...reached].some((text) => text.startsWith('Copy'))).toBe(true);
    const zoom = () =>
      page.$eval('.lanes', (lanes) => (lanes as HTMLElement).style.getPropertyValue('--zoom'));
    await page.selectOption('#span', '1');
    expect(Number(await zoom())).toBeGreaterThan(2);
    await page.click('#whole-run');
    expect(Number(await zoom())).toBe(1);
    await page.close();
  });
});

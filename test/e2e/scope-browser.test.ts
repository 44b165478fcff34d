/// <reference lib="dom" />
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXERCISES } from '../../harness/scope/exercises.ts';
import { renderLiveScope, renderScope } from '../../harness/scope/render.ts';
import { sampleTrace } from '../scope/traces.ts';
import { isChromiumMissing, launchChromium } from '../support/chromium.ts';

const missing = isChromiumMissing;
const TRACE = sampleTrace(12);
const FAILED_NS = TRACE.durationNs - 1e9;

test.runIf(missing && process.env.CI === 'true')('CI has Chromium', () => {
  expect(missing).toBe(false);
});

describe.skipIf(missing)(`the scope in Chromium${missing ? ' (none at /usr/bin)' : ''}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-scope-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
    writeFileSync(join(directory, 'live.html'), await renderLiveScope());
    writeFileSync(join(directory, 'player.html'), await renderScope(TRACE));
  });

  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  /** Opens the page; whatever it complains of or asks for is in `noise`. */
  async function open(
    kind: 'live' | 'player',
    options: { dark?: boolean; widthPx?: number; hash?: string } = {},
  ) {
    const page = await browser.newPage({
      viewport: { width: options.widthPx ?? 1280, height: 800 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    const noise: string[] = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) noise.push(request.url());
    });
    const { href } = pathToFileURL(join(directory, `${kind}.html`));
    await page.goto(`${href}${options.hash ?? ''}`);
    await page.waitForSelector('.node .role:not(:empty)');
    return { page, noise };
  }

  async function leaderOf(page: Page): Promise<{ name: string; term: number }> {
    const leader = page.locator('[data-role=leader]').first();
    await leader.waitFor();
    const name = (await leader.getAttribute('data-node'))!;
    return { name, term: Number(await leader.getAttribute('data-term')) };
  }

  const timeOf = (page: Page) => page.$eval('#slider', (each) => (each as HTMLInputElement).value);

  test('live: a leader is stopped, another leads in a later term, the first returns and follows', async () => {
    const { page, noise } = await open('live');
    await page.selectOption('#speed', '5');
    const first = await leaderOf(page);
    await page.click(`[aria-label="Stop ${first.name}"]`);
    await page.waitForSelector(`[data-node=${first.name}][data-role=stopped]`);
    const second = await leaderOf(page);
    expect(second.name).not.toBe(first.name);
    expect(second.term).toBeGreaterThan(first.term);
    await page.click(`[aria-label="Request ${second.name}"]`);
    await page.waitForSelector('#requests .applied');
    await page.click(`[aria-label="Resume ${first.name}"]`);
    const follows = `[data-node=${first.name}][data-role=follower][data-term="${second.term}"]`;
    await page.waitForSelector(follows);
    await page.getByText(`follows ${second.name} in term ${second.term}`).first().waitFor();
    expect(noise).toEqual([]);
    await page.close();
  });

  test('live: one looks back at what happened, and cannot change it', async () => {
    const { page, noise } = await open('live');
    await page.selectOption('#speed', '10');
    await leaderOf(page);
    await page.click('#clock');
    await page.keyboard.press('Home');
    await expect.poll(() => timeOf(page)).toBe('0');
    await page.waitForSelector('[aria-label="Stop n1"]:disabled');
    expect(await page.locator('[data-role=leader]').count()).toBe(0);
    await page.selectOption('#step-kind', 'leader');
    await page.click('#step-on');
    await leaderOf(page);
    await page.click('#to-end');
    await page.waitForSelector('[aria-label="Stop n1"]:enabled');
    expect(noise).toEqual([]);
    await page.close();
  });

  test('live: every exercise of the menu is played and met', async () => {
    const { page, noise } = await open('live');
    await page.selectOption('#speed', '10');
    for (const { id, expect: expectations } of EXERCISES) {
      await page.selectOption('#exercise', id);
      await expect
        .poll(() => page.locator('#exercise-card .met').count(), { timeout: 20_000 })
        .toBe(expectations.length);
    }
    await page.selectOption('#exercise', '');
    await page.waitForSelector('#exercise-card', { state: 'hidden' });
    expect(noise).toEqual([]);
    await page.close();
  });

  test('live: a cluster of another size', async () => {
    const { page, noise } = await open('live');
    await page.selectOption('#members', '7');
    await page.waitForSelector('[data-node=n7]');
    expect(await page.locator('.node').count()).toBe(7);
    await page.selectOption('#members', '1');
    await page.selectOption('#speed', '10');
    expect((await leaderOf(page)).name).toBe('n1');
    expect(noise).toEqual([]);
    await page.close();
  });

  test('player: opens at the failure, and says what it was', async () => {
    const { page, noise } = await open('player');
    await expect.poll(() => timeOf(page)).toBe(String(FAILED_NS));
    expect(await page.textContent('#failure-text')).toBe('two leaders in term 4 </script>');
    for (const seen of ['#failure', '.failure-line', '.failure-mark', '#events .failure']) {
      expect(await page.locator(seen).first().isVisible(), seen).toBe(true);
    }
    expect(await page.textContent('#events li:first-child .who')).toBe('failure');
    expect(noise).toEqual([]);
    await page.close();
  });

  test('player: is scrubbed back and forth, and shows the same at the same moment', async () => {
    const { page, noise } = await open('player');
    const look = async (atNs: number) => {
      await page.$eval(
        '#slider',
        (element, value) => {
          const slider = element as HTMLInputElement;
          slider.valueAsNumber = value;
          slider.dispatchEvent(new Event('input'));
        },
        atNs,
      );
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      return page.evaluate(() =>
        ['.node', '#logs tr', '#events li', '.messages circle[visibility=visible]'].map((each) =>
          [...document.querySelectorAll(each)].map((found) => found.textContent),
        ),
      );
    };
    const early = await look(3.5e9);
    expect(await page.locator('.cuts line').count()).toBe(12);
    const late = await look(11e9);
    expect(late).not.toEqual(early);
    expect(await page.locator('.cuts line').count()).toBe(0);
    expect(await look(3.5e9)).toEqual(early);
    expect(await look(11e9)).toEqual(late);
    await expect.poll(() => page.evaluate(() => location.hash)).toBe('#t=11000000000');
    expect(noise).toEqual([]);
    await page.close();
  });

  test('player: a link leads to a moment; keys step, play and find the failure', async () => {
    const { page, noise } = await open('player', { hash: '#t=2000000000' });
    await expect.poll(() => timeOf(page)).toBe('2000000000');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => timeOf(page).then(Number)).toBeGreaterThan(2e9);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => timeOf(page).then(Number)).toBeLessThan(2e9);
    await page.selectOption('#step-kind', 'fault');
    await page.click('#step-on');
    await page.waitForSelector('#events li.fault');
    expect(await page.textContent('#events .fault .what')).toContain('partition-halves');
    const before = Number(await timeOf(page));
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => timeOf(page).then(Number)).toBe(before + 1e6);
    await page.click('#clock');
    await page.keyboard.press('Space');
    await expect.poll(() => timeOf(page).then(Number)).toBeGreaterThan(before + 1e6);
    expect(await page.textContent('#play')).toBe('Pause');
    await page.keyboard.press('f');
    await expect.poll(() => timeOf(page)).toBe(String(FAILED_NS));
    expect(await page.textContent('#play')).toBe('Play');
    expect(noise).toEqual([]);
    await page.close();
  });

  test.each(['live', 'player'] as const)('%s: follows the theme, fits screens', async (kind) => {
    const papers: string[] = [];
    for (const dark of [false, true]) {
      const { page, noise } = await open(kind, { dark, widthPx: dark ? 400 : 1280 });
      papers.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      const overflowPx = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflowPx).toBe(0);
      const nameless = await page.$$eval(
        'button, select, input',
        (controls) =>
          controls.filter((each) => {
            const labels = (each as HTMLInputElement).labels?.length ?? 0;
            return labels === 0 && !each.ariaLabel && !each.textContent?.trim();
          }).length,
      );
      expect(nameless).toBe(0);
      expect(noise).toEqual([]);
      await page.close();
    }
    expect(papers[0]).not.toBe(papers[1]);
  });
});

// The page in a real browser: no request, no error, and its switches work. Skipped where there is no chromium.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderReport } from '../../src/report/render-report.ts';
import { reportFixture, smallestReport } from './report-fixture.ts';

const BROWSER = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(!existsSync(BROWSER))('report.html in chromium', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-report-'));
    browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(html: string, options: { readonly javaScriptEnabled?: boolean; readonly width?: number } = {}) {
    const file = join(folder, 'report.html');
    writeFileSync(file, html);
    const context = await browser.newContext({
      javaScriptEnabled: options.javaScriptEnabled ?? true,
      viewport: { width: options.width ?? 1440, height: 900 },
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) problems.push(`request ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    return { page, problems, close: () => context.close() };
  }

  const titled = (page: Page, name: string): Promise<number> =>
    page.getByRole('heading', { level: 1, name, exact: true }).count();
  const visible = (page: Page, selector: string): Promise<number> => page.locator(`${selector}:visible`).count();

  test('switches language, filters, sorts, opens and prints without an error or a request', async () => {
    const { page, problems, close } = await open(renderReport(reportFixture({ anomalies: 30 }), 'es'));
    expect(await titled(page, 'Operaciones inusuales')).toBe(1);
    await page.getByRole('button', { name: 'English' }).click();
    expect(await titled(page, 'Unusual transactions')).toBe(1);
    expect(await page.title()).toMatch(/^Unusual transactions/);
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
    expect(await visible(page, '[lang=es]')).toBe(0);

    expect(await visible(page, 'tbody.anomaly')).toBe(30);
    await page.locator('#filter').fill('CONFIRMÉD frauds');
    const filtered = await visible(page, 'tbody.anomaly');
    expect(filtered).toBeGreaterThan(0);
    expect(filtered).toBeLessThan(30);
    expect(await page.locator('#shown').textContent()).toBe(String(filtered));
    await page.locator('#filter').fill('no such thing');
    expect(await visible(page, 'tbody.anomaly')).toBe(0);
    expect(await page.locator('#nothing').isVisible()).toBe(true);
    await page.locator('#filter').fill('');
    await page.locator('[data-decision=review]').first().click();
    expect(await visible(page, 'tbody.anomaly:not([data-decision=review])')).toBe(0);
    await page.locator('.choices [data-decision=""]').click();

    await page.locator('th[data-sort=amount] [role=button]').focus();
    await page.keyboard.press('Enter');
    const amounts = await page
      .locator('tbody.anomaly')
      .evaluateAll((bodies) => bodies.map((body) => Number(body.getAttribute('data-amount'))));
    expect(amounts).toEqual([...amounts].sort((a, b) => b - a));
    expect(await page.locator('th[data-sort=amount]').getAttribute('aria-sort')).toBe('descending');

    await page.locator('summary').first().click();
    expect(await page.locator('.detail').first().isVisible()).toBe(true);
    expect((await page.pdf({ preferCSSPageSize: true })).length).toBeGreaterThan(20_000);
    expect(problems).toEqual([]);
    await close();
  });

  test.each([1100, 1440])('nothing is wider than a page of %d pixels', async (width) => {
    const { page, close } = await open(renderReport(reportFixture({ anomalies: 10 }), 'es'), { width });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    const cut = await page.evaluate(
      "[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1).length",
    );
    expect(cut).toBe(0);
    await close();
  });

  test('reads without scripts', async () => {
    const { page, problems, close } = await open(renderReport(reportFixture({ anomalies: 3 }), 'es'), {
      javaScriptEnabled: false,
    });
    expect(await titled(page, 'Operaciones inusuales')).toBe(1);
    expect(await visible(page, 'tbody.anomaly')).toBe(3);
    expect(await page.locator('.filters').isVisible()).toBe(false);
    expect(problems).toEqual([]);
    await close();
  });

  test('hostile texts do nothing', async () => {
    const data = reportFixture({ anomalies: 2 });
    const attack = `"'></script><script>document.title='stolen'</script><img src="//attack.test/x" onerror="document.title='stolen'">`;
    const anomalies = data.anomalies.map((anomaly) => ({ ...anomaly, payer: attack, id: attack, typology: attack }));
    const summary = { ...data.summary, fileName: attack };
    const { page, problems, close } = await open(renderReport({ ...data, summary, anomalies }, 'es'));
    expect(await page.title()).toMatch(/^Operaciones inusuales · "'>/);
    expect(await page.locator('img').count()).toBe(0);
    expect(problems).toEqual([]);
    await close();
  });

  test('the smallest report works', async () => {
    const { page, problems, close } = await open(renderReport(smallestReport(), 'es'));
    await page.getByRole('button', { name: 'English' }).click();
    expect(await page.getByText('No transaction is above the threshold.').isVisible()).toBe(true);
    expect(problems).toEqual([]);
    await close();
  });
});

// «¿Fuiste tú?» from the analyst's click to the label: by the page that the customer opens, and by the bank's app.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { signWebhook } from '../../src/notify/webhook-signature.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { APP_SECRET, type NotifyingService, startNotifyingService } from './notifying.ts';
import { eventually, type Reply } from './running-service.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const BROWSER = '/usr/bin/chromium';
const MINUTE_MS = 60_000;
/** From the answer to the stream. */
const WITHIN_MS = 5000;

let records: RecordStore;
let running: NotifyingService;

beforeAll(async () => {
  records = await openRecordStore(await openPglite({ folder: null, onRecovery: () => undefined }));
  running = await startNotifyingService(records);
}, 60_000);

afterAll(async () => {
  await running?.stop();
  await records?.close();
});

const open = (path: string, headers: Record<string, string> = {}) => running.service.stranger.ask(path, { headers });
const press = (path: string, raw: string) => running.service.stranger.ask(path, { method: 'POST', raw, headers: FORM });

async function labelOf(transactionId: string): Promise<{ outcome: string; source: string } | null> {
  const analyst = await running.service.as('fraud-analyst');
  return (await analyst.ask(`/v1/labels/${transactionId}`)).json?.current ?? null;
}

interface StreamedLabel {
  readonly isFraud: boolean;
  /** Who said it. */
  readonly source: string | null;
  readonly text: string;
}

/** On a topic of the stream, once it is there; null for none. */
async function streamed(topic: 'labels' | 'transactions', transactionId: string): Promise<StreamedLabel | null> {
  const records = await running.service.log.read({ topic, partition: 0, offset: 0 }, 1000, 0);
  for (const { headers, value } of records) {
    const text = Buffer.from(value ?? []).toString('utf8');
    const source = headers.find(({ name }) => name === 'centinela-label-source');
    const { id, isFraud } = JSON.parse(text);
    if (id !== transactionId || typeof isFraud !== 'boolean') continue;
    return { isFraud, source: source === undefined ? null : Buffer.from(source.value).toString('utf8'), text };
  }
  return null;
}

/** What the customer said is on the topic `labels` within seconds, and passed on to what learns from it. */
async function expectLabel(transactionId: string, isFraud: boolean, askedMs: number): Promise<void> {
  for (const topic of ['labels', 'transactions'] as const) {
    const label = await eventually(() => streamed(topic, transactionId));
    expect(label).toMatchObject({ isFraud, source: 'customer' });
    expect(label.text, 'sealed').not.toContain('00219400234567810012');
  }
  expect(performance.now() - askedMs).toBeLessThan(WITHIN_MS);
}

describe('the page of the link', () => {
  it('asks, takes the answer once, and the label is there in seconds', async () => {
    const { path } = await running.askAbout('P1', 'C-501');
    const page = await open(path);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.text).toContain('S/ 2,500.00');
    expect(page.text).not.toMatch(/C-501|00219400234567810012|<script/);
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
    );
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect([page.headers['cache-control'], page.headers['referrer-policy']]).toEqual(['no-store', 'no-referrer']);
    expect(await labelOf('P1'), 'looking answers nothing').toBeNull();
    expect(await streamed('labels', 'P1')).toBeNull();

    const begunMs = performance.now();
    const answered = await press(path, 'answer=no');
    expect([answered.status, answered.text]).toEqual([200, expect.stringContaining('ya tenemos su respuesta')]);
    expect(await labelOf('P1')).toMatchObject({ outcome: 'fraud', source: 'customer' });
    await expectLabel('P1', true, begunMs);

    const again = await press(path, 'answer=yes');
    expect([again.status, again.text]).toEqual([410, expect.stringContaining('Este enlace ya fue usado')]);
    expect((await open(path)).status).toBe(410);
    expect(await labelOf('P1')).toMatchObject({ outcome: 'fraud' });
  });

  it('speaks Spanish, or English where the browser or the link asks for it', async () => {
    const { path } = await running.askAbout('P2', 'C-502');
    expect((await open(path)).text).toContain('<html lang="es">');
    expect((await open(path, { 'accept-language': 'en-GB,en;q=0.9' })).text).toContain('Yes, it was me');
    expect((await open(`${path}?lang=en`)).text).toContain('Did you make this transaction?');
  });

  it('says plainly that a link has expired, and that one is nobody’s', async () => {
    const { path, challengeId } = await running.askAbout('P3', 'C-503');
    await records.transact(async (tx) => {
      await tx.updateTable('challenges').set({ expires_ms: 1 }).where('id', '=', challengeId).execute();
    });
    const late = await open(path);
    expect([late.status, late.text]).toEqual([410, expect.stringContaining('Este enlace venció')]);
    expect((await press(path, 'answer=yes')).status).toBe(410);
    expect(await labelOf('P3')).toBeNull();
    for (const token of ['x', 'A'.repeat(43), '..%2F..%2Fetc%2Fpasswd', "'%20OR%201=1%20--"]) {
      const foreign = await open(`/fuiste-tu/${token}`);
      expect([foreign.status, foreign.text]).toEqual([404, expect.stringContaining('Este enlace no es válido')]);
      expect((await press(`/fuiste-tu/${token}`, 'answer=yes')).status).toBe(404);
    }
  });

  it('takes yes and no and nothing else', async () => {
    const { path } = await running.askAbout('P4', 'C-504');
    for (const raw of [
      'answer=later',
      'answer=',
      '',
      'answer=yes&answer=no',
      'answer=yes&x=1',
      'answer=%00',
      '{"answer":"yes"}',
    ]) {
      const reply = await press(path, raw);
      expect([raw, reply.status]).toEqual([raw, 422]);
    }
    expect((await running.service.stranger.ask(path, { method: 'POST', body: { answer: 'yes' } })).status).toBe(415);
    expect((await open(path)).status).toBe(200);
    const both = await Promise.all(['yes', 'no', 'yes', 'no'].map((each) => press(path, `answer=${each}`)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410]);
  });

  describe.skipIf(!existsSync(BROWSER))('in chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
      browser = await chromium.launch({ executablePath: BROWSER, args });
    });
    afterAll(() => browser?.close());

    it('works on a phone without scripts, by keyboard, and breaks no rule of its own', async () => {
      const { path } = await running.askAbout('P5', 'C-505');
      const context = await browser.newContext({
        ...{
          javaScriptEnabled: false,
          ignoreHTTPSErrors: true,
          viewport: { width: 320, height: 640 },
          locale: 'es-PE',
        },
      });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(running.service.url + path);
      const buttons = page.getByRole('button');
      expect(await buttons.allInnerTexts()).toEqual(['Sí, fui yo', 'No fui yo']);
      for (const button of await buttons.all()) expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(48);
      const [yes] = await buttons.all();
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(320);
      const shots = process.env.CENTINELA_SCREENSHOTS;
      if (shots !== undefined) mkdirSync(shots, { recursive: true });
      const shoot = async (name: string) => {
        if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
      };
      await shoot('question');
      await yes.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Gracias, ya tenemos su respuesta' }).waitFor();
      await shoot('thanks');
      await page.goto(running.service.url + path);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Este enlace ya fue usado');
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.getByRole('link', { name: 'English' }).click();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('This link has been used');
      await shoot('used-dark');
      // Chromium tells of 410 as of any failed page; of a broken policy it would tell, too.
      expect(problems.filter((text) => !text.includes('410'))).toEqual([]);
      await context.close();
      expect(await labelOf('P5')).toMatchObject({ outcome: 'genuine' });
    });
  });
});

describe("what the bank's app sends", () => {
  const bytesOf = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  function send(body: Uint8Array, signature: string | null): Promise<Reply> {
    const headers: Record<string, string> = signature === null ? {} : { 'centinela-signature': signature };
    return running.service.stranger.ask('/v1/webhooks/challenge-answers', { method: 'POST', raw: body, headers });
  }
  const sign = (body: Uint8Array, atMs = Date.now(), secret = APP_SECRET) =>
    signWebhook(body, [new TextEncoder().encode(secret)], atMs);

  it('counts where it is signed, and each id once', async () => {
    const { challengeId } = await running.askAbout('W1', 'C-601');
    const body = bytesOf({ id: 'app-1', challengeId, answer: 'no' });
    const signature = sign(body);
    const begunMs = performance.now();
    const both = await Promise.all([1, 2, 3].map(() => send(body, signature)));
    expect(both.map(({ status, json }) => `${status} ${json.kind}`).sort()).toEqual([
      ...['200 taken', '200 taken-before', '200 taken-before'],
    ]);
    expect((await send(body, sign(body))).json.kind).toBe('taken-before');
    expect(await labelOf('W1')).toMatchObject({ outcome: 'fraud', source: 'customer' });
    await expectLabel('W1', true, begunMs);
    const late = bytesOf({ id: 'app-2', challengeId, answer: 'yes' });
    expect((await send(late, sign(late))).json.kind).toBe('not-waited-for');
    expect(await labelOf('W1')).toMatchObject({ outcome: 'fraud' });
  });

  it('that it was the customer, is a label of a genuine one', async () => {
    const { challengeId } = await running.askAbout('W3', 'C-603');
    const body = bytesOf({ id: 'app-9', challengeId, answer: 'yes' });
    const begunMs = performance.now();
    expect((await send(body, sign(body))).json.kind).toBe('taken');
    await expectLabel('W3', false, begunMs);
  });

  it('is refused where the signature is foreign, of other bytes, missing, too old or of the future', async () => {
    const { challengeId } = await running.askAbout('W2', 'C-602');
    const body = bytesOf({ id: 'app-3', challengeId, answer: 'no' });
    const others: readonly (string | null)[] = [
      ...[null, '', 't=1,v1=00', sign(body, Date.now(), 'otro secreto que también tiene más de 32')],
      ...[sign(bytesOf({ id: 'app-3', challengeId, answer: 'yes' })), 'x'.repeat(5000)],
      ...[sign(body, Date.now() - 6 * MINUTE_MS), sign(body, Date.now() + 6 * MINUTE_MS)],
    ];
    for (const signature of others) {
      const reply = await send(body, signature);
      expect([signature, reply.status, reply.json.code]).toEqual([signature, 401, 'SIGNATURE_INVALID']);
    }
    expect(await labelOf('W2')).toBeNull();
    const wrong = bytesOf({ id: 'app-4', challengeId, answer: 'quizás' });
    expect((await send(wrong, sign(wrong))).status).toBe(422);
    const unknown = bytesOf({ id: 'app-5', challengeId: 'k1.nadie', answer: 'no' });
    expect((await send(unknown, sign(unknown))).json.kind).toBe('not-waited-for');
    expect((await send(body, sign(body))).json.kind).toBe('taken');
  });
});

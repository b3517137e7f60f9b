import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { challengeToken, DEFAULT_CHALLENGES } from '../../src/notify/challenge.ts';
import { readNotificationSettings } from '../../src/notify/settings.ts';
import { verifyWebhook } from '../../src/notify/webhook-signature.ts';
import { answerChallenge, createChallenge, linksOf } from '../../src/records/notifications/challenges.ts';
import { createNotifier } from '../../src/records/notifications/notifier.ts';
import { takeOnce } from '../../src/records/notifications/webhook-receipts.ts';
import { openChannels } from '../../src/roles/service/open-channels.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { makeServerCertificate } from './certificates.ts';
import { startReceiver } from './receiver.ts';
import { startSmtpServer } from './smtp-server.ts';

const SECRETS: Readonly<Record<string, string>> = {
  'hook-new': 'new secret of at least 32 bytes .',
  'hook-old': 'old secret of at least 32 bytes .',
  'mail-password': 'for-tests-only',
};
const KEYS = [{ name: 'k1', key: new Uint8Array(32).fill(3) }];
const common = {
  language: 'es',
  quietHours: null,
  rate: { most: 100, perMs: 60_000 },
  fallback: null,
  timeoutMs: 5000,
};
const route = { match: {}, groupBy: 'none', groupWindowMs: 1000, ladder: null, continues: false };

describeOnEachEngine('a notification', (open) => {
  it('goes out through every kind of channel over TLS, and the answer to a question comes back as a verdict', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'centinela-channels-'));
    const certificate = makeServerCertificate(folder);
    const [bank, slack, teams, alertmanager] = await Promise.all([0, 1, 2, 3].map(() => startReceiver(certificate)));
    const login = { user: 'centinela', password: SECRETS['mail-password'] };
    const mail = await startSmtpServer({ certificate, security: 'starttls', login });
    const addresses: Readonly<Record<string, string>> = { ...SECRETS, 'slack-url': slack.url, 'teams-url': teams.url };
    const settings = readNotificationSettings({
      ...{ baseUrl: 'https://centinela.example', allowedNetworks: ['127.0.0.0/8'], ladders: [] },
      channels: {
        bank: { kind: 'webhook', url: `${bank.url}/hook`, secrets: ['hook-new', 'hook-old'], ...common },
        mail: {
          ...{ kind: 'mail', host: 'localhost', port: mail.port, security: 'starttls', user: 'centinela' },
          ...{ password: 'mail-password', from: 'avisos@banco.example', to: ['fraude@banco.example'], ...common },
        },
        slack: { kind: 'slack', url: 'slack-url', ...common },
        teams: { kind: 'teams', url: 'teams-url', ...common },
        pager: { kind: 'alertmanager', url: alertmanager.url, token: null, resolveAfterMs: 3_600_000, ...common },
      },
      routes: [
        { ...route, name: 'questions', match: { kinds: ['challenge'] }, channels: ['bank'] },
        { ...route, name: 'all', channels: ['bank', 'mail', 'slack', 'teams', 'pager'] },
      ],
      retry: { attempts: 3, firstMs: 1000, mostMs: 60_000 },
    });
    const store = await open();
    const nowMs = Date.now();
    const notifier = createNotifier({
      ...{ store, settings, nowMs: () => nowMs, linkOf: linksOf(settings.baseUrl, KEYS), record: async () => {} },
      channels: openChannels(settings, (name) => addresses[name], certificate.authority),
      onTrouble(error) {
        throw error;
      },
    });
    try {
      await store.transact((tx) =>
        notifier.notify(tx, {
          ...{ id: 'alert:1', kind: 'alert', severity: 'critical', atMs: nowMs, linkPath: '/alerts/1' },
          ...{
            title: { es: 'Alerta de S/ 900.00', en: 'Alert of S/ 900.00' },
            text: { es: 'Tarjeta 9604123456789016', en: '' },
          },
        }),
      );
      await notifier.runOnce();
      const posted = [bank, slack, teams, alertmanager].map(({ received }) => received[0].body.toString());
      for (const text of [...posted, mail.mails[0].data]) expect(text).not.toContain('9604123456789016');
      expect(posted.every((text) => text.includes('Alerta de S/ 900.00'))).toBe(true);
      expect(mail.mails[0]).toMatchObject({ isEncrypted: true, user: 'centinela' });
      const signature = bank.received[0].headers['centinela-signature'] as string;
      for (const name of ['hook-new', 'hook-old']) {
        const secrets = [new TextEncoder().encode(SECRETS[name])];
        expect(verifyWebhook(signature, bank.received[0].body, secrets, nowMs)).toMatchObject({ isValid: true });
      }

      const draft = {
        ...{
          transactionId: 'tx-1',
          customerId: 'customer-1',
          amountMinor: 90_000,
          currency: 'PEN',
          eventTimeMs: nowMs,
        },
        ...{ reasonCodes: ['BENEFICIARIO_NUEVO'], typology: null },
      };
      const randomBytes = new Uint8Array(16).fill(9);
      const request = { draft, settings: DEFAULT_CHALLENGES, keys: KEYS, randomBytes, atMs: nowMs };
      const created = await store.transact((tx) => createChallenge(tx, request));
      await notifier.runOnce();
      expect(mail.mails).toHaveLength(1);
      const question = JSON.parse(bank.received[1].body.toString()) as { link: string };
      const token = question.link.split('/').at(-1)!;
      expect(created.kind === 'created' && challengeToken(KEYS, created.id)).toBe(token);
      // The bank's app answers; the same webhook again does nothing.
      const answer = () =>
        store.transact(async (tx) => {
          if (!(await takeOnce(tx, 'bank-app', 'w1', nowMs))) return 'had already';
          return answerChallenge(tx, token, 'no', DEFAULT_CHALLENGES, nowMs + 1);
        });
      expect(await answer()).toMatchObject({ kind: 'answered', outcome: { transactionId: 'tx-1', verdict: 'fraud' } });
      expect(await answer()).toBe('had already');
    } finally {
      await notifier.stop();
      for (const server of [bank, slack, teams, alertmanager, mail]) await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

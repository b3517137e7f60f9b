// Settings for tests: every kind of channel, a route for each need, a ladder.
import type { ChannelSettings, NotificationSettings } from '../../src/notify/settings.ts';

const common: Pick<ChannelSettings, 'language' | 'quietHours' | 'rate' | 'fallback'> = {
  ...{ language: 'es', quietHours: null, rate: { most: 100, perMs: 60_000 }, fallback: null },
};

export function webhookSettings(more: Partial<ChannelSettings> = {}): ChannelSettings {
  return {
    ...{ kind: 'webhook', url: 'https://hooks.banco.example/centinela', secrets: ['hook-2026'], timeoutMs: 5000 },
    ...common,
    ...more,
  } as ChannelSettings;
}

export const EXAMPLE_SETTINGS: NotificationSettings = {
  baseUrl: 'https://centinela.banco.example',
  allowedNetworks: ['10.20.0.0/16'],
  channels: {
    bank: webhookSettings(),
    mail: {
      ...{ kind: 'mail', host: 'mail.banco.example', port: 587, security: 'starttls', user: 'centinela' },
      ...{ password: 'mail-password', from: 'avisos@banco.example', to: ['fraude@banco.example'], timeoutMs: 10_000 },
      ...common,
      quietHours: { from: '22:00', to: '07:00', breaksThrough: ['critical'] },
      fallback: 'chat',
    },
    chat: { kind: 'slack', url: 'slack-url', timeoutMs: 5000, ...common },
    pager: {
      ...{ kind: 'alertmanager', url: 'https://alertmanager.banco.example', token: null, resolveAfterMs: 3_600_000 },
      ...{ timeoutMs: 5000, ...common },
    },
  },
  routes: [
    {
      ...{
        name: 'questions',
        match: { kinds: ['challenge'] },
        channels: ['bank'],
        groupBy: 'none',
        groupWindowMs: 1000,
      },
      ...{ ladder: null, continues: false },
    },
    {
      ...{ name: 'severe', match: { severities: ['high', 'critical'] }, channels: ['chat'], groupBy: 'case' },
      ...{ groupWindowMs: 600_000, ladder: 'fraud', continues: true },
    },
    {
      ...{ name: 'all', match: {}, channels: ['mail'], groupBy: 'typology', groupWindowMs: 600_000, ladder: null },
      continues: false,
    },
  ],
  ladders: [
    {
      name: 'fraud',
      levels: [
        { afterMs: 600_000, channels: ['mail'] },
        { afterMs: 900_000, channels: ['pager'] },
      ],
    },
  ],
  retry: { attempts: 12, firstMs: 1000, mostMs: 3_600_000 },
};

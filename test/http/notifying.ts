// A service that tells the bank's app by webhook, with an alert whose customer can be asked.
import { NO_NOTIFICATIONS, readNotificationSettings } from '../../src/notify/settings.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { type Receiver, startReceiver } from '../notify/receiver.ts';
import {
  type Caller,
  eventually,
  startTestService,
  type TestService,
  type TestServiceOptions,
} from './running-service.ts';

export const APP_SECRET = 'un secreto de la app, de más de 32 bytes';

export interface NotifyingService {
  readonly service: TestService;
  readonly app: Receiver;
  /** Has a transaction decided that raises an alert, and the customer asked. */
  askAbout(transactionId: string, customerId: string): Promise<Question>;
  stop(): Promise<void>;
}

export interface Question {
  readonly challengeId: string;
  /** `/fuiste-tu/…` */
  readonly path: string;
  readonly token: string;
}

export async function startNotifyingService(
  records: RecordStore,
  options: TestServiceOptions = {},
): Promise<NotifyingService> {
  const app = await startReceiver();
  const settings = readNotificationSettings({
    ...{ ...NO_NOTIFICATIONS, baseUrl: 'https://centinela.banco.example', allowedNetworks: ['127.0.0.0/8'] },
    inbound: { secrets: ['app-answers'] },
    channels: {
      app: {
        ...{ kind: 'webhook', url: `${app.url}/aviso`, secrets: ['app-hook'], timeoutMs: 5000, language: 'es' },
        ...{ quietHours: null, rate: { most: 1000, perMs: 60_000 }, fallback: null },
      },
    },
    routes: [
      {
        ...{ name: 'all', match: {}, channels: ['app'], groupBy: 'none', groupWindowMs: 1000 },
        ...{ ladder: null, continues: false },
      },
    ],
  });
  const service = await startTestService(records, {
    ...options,
    notifications: { settings, secret: () => APP_SECRET },
  });
  return {
    ...{ service, app },
    async askAbout(transactionId, customerId) {
      await raiseAlert(service, transactionId, customerId);
      const analyst = await service.as('fraud-analyst');
      const asked = await eventually(async () => {
        const reply = await analyst.ask(`/v1/alerts/${transactionId}/challenge`, { method: 'POST' });
        return reply.status === 404 ? null : reply;
      });
      if (asked.json?.kind !== 'created') throw new Error(`the customer was not asked: ${asked.text}`);
      const challengeId = asked.json.id as string;
      const path = await eventually(async () => linkOf(app, challengeId));
      return { challengeId, path, token: path.split('/').at(-1) ?? '' };
    },
    async stop() {
      await service.stop();
      await app.close();
    },
  };
}

async function raiseAlert(service: TestService, id: string, payerId: string): Promise<void> {
  const bank: Caller = await service.withKey(['transactions:score']);
  const transaction = {
    ...{ id, payerId, eventTimeMs: Date.now(), amountMinor: 250_000, currency: 'PEN', operation: 'transfer' },
    ...{ channel: 'app', status: 'approved', payeeAccount: '00219400234567810012' },
  };
  const scored = await bank.ask('/v1/transactions', { method: 'POST', body: transaction });
  if (scored.status !== 200) throw new Error(scored.text);
}

function linkOf({ received }: Receiver, challengeId: string): string | null {
  for (const { body } of received) {
    const { link, notifications } = JSON.parse(body.toString('utf8')) as {
      readonly link: string | null;
      readonly notifications: readonly { readonly subject: { readonly id: string } | null }[];
    };
    if (link !== null && notifications[0]?.subject?.id === challengeId) return new URL(link).pathname;
  }
  return null;
}

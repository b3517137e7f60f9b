// A process that tells things until it is killed: each id is printed once it is committed.
//
//   node notifying-process.ts PLACE URL FIRST COUNT
//
// PLACE is the folder of an embedded database, or the address of a PostgreSQL. With COUNT 0 it ends when everything is told.

import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { outcomeOf } from '../../src/adapters/webhook/delivery-outcome.ts';
import { createGuardedPost } from '../../src/adapters/webhook/guarded-post.ts';
import { createNetworkGuard } from '../../src/adapters/webhook/network-guard.ts';
import { openWebhookChannel } from '../../src/notify/webhook-channel.ts';
import { nextDueMs } from '../../src/records/notifications/messages.ts';
import { createNotifier } from '../../src/records/notifications/notifier.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { webhookSettings } from './settings-example.ts';

const [place, url, first, count] = process.argv.slice(2);
const database = place.startsWith('postgres:')
  ? await openPostgres({ url: place, maxConnections: 4 })
  : await openPglite({ folder: place, onRecovery: () => undefined });
const store = await openRecordStore(database);
const post = createGuardedPost({ guard: createNetworkGuard(['127.0.0.0/8']) });
const channel = openWebhookChannel({
  ...{ url, secrets: [new Uint8Array(32).fill(1)], timeoutMs: 2000 },
  send: async (request) => outcomeOf(await post(request)),
});
const notifier = createNotifier({
  ...{ store, channels: new Map([['bank', channel]]), nowMs: () => Date.now(), linkOf: () => null },
  settings: {
    ...{ baseUrl: null, allowedNetworks: [], ladders: [], retry: { attempts: 50, firstMs: 20, mostMs: 200 } },
    channels: { bank: webhookSettings({ rate: { most: 10_000, perMs: 1000 } }) },
    routes: [
      {
        ...{ name: 'all', match: {}, channels: ['bank'], groupBy: 'case', groupWindowMs: 1000, ladder: null },
        continues: false,
      },
    ],
  },
  ...{ record: async () => {}, onTrouble: () => {}, limits: { leaseMs: 1500, deadlineMs: 1000, idleMs: 50 } },
});
notifier.start();
for (let index = Number(first); index < Number(first) + Number(count); index++) {
  const id = `alert:${index}`;
  await store.transact((tx) =>
    notifier.notify(tx, {
      ...{ id, kind: 'alert', severity: 'low', atMs: Date.now(), caseId: index % 3 === 0 ? 'c1' : null },
      ...{ title: { es: id, en: id }, text: { es: '', en: '' } },
    }),
  );
  process.stdout.write(`${id}\n`);
}
if (Number(count) === 0) {
  while (
    (await store.db.selectFrom('notifications').select('id').where('state', '=', 'new').execute()).length > 0 ||
    (await nextDueMs(store.db)) !== null
  ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await notifier.stop();
  await store.close();
  process.stdout.write('empty\n');
}

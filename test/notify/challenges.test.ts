import { expect, it } from 'vitest';
import { type ChallengeDraft, challengeToken, DEFAULT_CHALLENGES } from '../../src/notify/challenge.ts';
import { messageOf } from '../../src/notify/message.ts';
import {
  answerChallenge,
  createChallenge,
  demandChallengeLink,
  expireChallenges,
  linksOf,
} from '../../src/records/notifications/challenges.ts';
import { listNotifications } from '../../src/records/notifications/history.ts';
import { takeOnce } from '../../src/records/notifications/webhook-receipts.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';

const NOON_MS = Date.UTC(2026, 10, 26, 17);
const KEYS = [{ name: 'k1', key: new Uint8Array(32).fill(7) }];
const DRAFT: ChallengeDraft = {
  ...{ transactionId: 'tx-1', customerId: 'customer-77', amountMinor: 150_000, currency: 'PEN', eventTimeMs: NOON_MS },
  ...{ reasonCodes: ['MONTO_FUERA_DE_PERFIL'], typology: 'F03' },
};
let serial = 0;

function ask(store: RecordStore, more: Partial<ChallengeDraft> = {}, atMs = NOON_MS, settings = DEFAULT_CHALLENGES) {
  const randomBytes = new Uint8Array(16);
  new DataView(randomBytes.buffer).setUint32(0, ++serial);
  const draft = { ...DRAFT, ...more };
  return store.transact((tx) => createChallenge(tx, { draft, settings, keys: KEYS, randomBytes, atMs }));
}

function answer(store: RecordStore, token: string, given: 'yes' | 'no' | 'later', atMs = NOON_MS + 1000) {
  return store.transact((tx) => answerChallenge(tx, token, given, DEFAULT_CHALLENGES, atMs));
}

async function asked(store: RecordStore, more: Partial<ChallengeDraft> = {}, atMs = NOON_MS): Promise<string> {
  const created = await ask(store, more, atMs);
  if (created.kind !== 'created') throw new Error(created.kind);
  return challengeToken(KEYS, created.id)!;
}

describeOnEachEngine('questions to customers', (open) => {
  it('are answered once, and the answer says what the transaction was', async () => {
    const store = await open();
    const token = await asked(store);
    const first = await answer(store, token, 'no');
    expect(first).toMatchObject({
      kind: 'answered',
      outcome: {
        transactionId: 'tx-1',
        customerId: 'customer-77',
        verdict: 'fraud',
        source: 'customer',
        isReliable: true,
      },
    });
    expect(await answer(store, token, 'yes')).toEqual({ kind: 'answered-already' });
    expect(await ask(store)).toMatchObject({ kind: 'asked-already' });
  });

  it('are answered once though two answers come at the same time', async () => {
    const store = await open();
    const token = await asked(store);
    const answers = await Promise.all(
      ['yes', 'no', 'yes', 'no'].map((each) => answer(store, token, each as 'yes' | 'no')),
    );
    expect(answers.filter(({ kind }) => kind === 'answered')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'answered-already')).toHaveLength(3);
  });

  it('may be put off, and stay open', async () => {
    const store = await open();
    const token = await asked(store, { reasonCodes: ['DISPOSITIVO_NUEVO'] });
    for (let time = 0; time < 5; time++) expect(await answer(store, token, 'later')).toEqual({ kind: 'later' });
    expect(await answer(store, token, 'yes')).toMatchObject({ outcome: { verdict: 'genuine', isReliable: false } });
  });

  it('expire, and their end says that nothing is known', async () => {
    const store = await open();
    const token = await asked(store);
    const endMs = NOON_MS + DEFAULT_CHALLENGES.validMs;
    expect(await store.transact((tx) => expireChallenges(tx, endMs - 1))).toEqual([]);
    expect(await answer(store, token, 'yes', endMs)).toEqual({ kind: 'expired' });
    expect(await store.transact((tx) => expireChallenges(tx, endMs))).toMatchObject([
      { verdict: 'unknown', transactionId: 'tx-1' },
    ]);
    expect(await store.transact((tx) => expireChallenges(tx, endMs))).toEqual([]);
    expect(await answer(store, token, 'yes', endMs + 1)).toEqual({ kind: 'expired' });
    expect(await ask(store, {}, endMs + 2)).toMatchObject({ kind: 'created' });
  });

  it('are so many for a customer and no more, and none about what is confidential', async () => {
    const store = await open();
    for (const index of [1, 2, 3])
      expect(await ask(store, { transactionId: `tx-${index}` })).toMatchObject({ kind: 'created' });
    expect(await ask(store, { transactionId: 'tx-4' })).toEqual({ kind: 'not-asked', reason: 'too-many' });
    expect(await ask(store, { transactionId: 'tx-5', customerId: 'customer-78' })).toMatchObject({ kind: 'created' });
    expect(await ask(store, { transactionId: 'tx-4' }, NOON_MS + DEFAULT_CHALLENGES.perMs)).toMatchObject({
      kind: 'created',
    });
    expect(await ask(store, { transactionId: 'tx-6', customerId: 'customer-79', typology: 'F09' })).toEqual({
      kind: 'not-asked',
      reason: 'confidential',
    });
  });

  it('are known by their token alone, which the records do not hold', async () => {
    const store = await open();
    const token = await asked(store);
    for (const guess of [
      '',
      'x',
      token.slice(1),
      `${token}x`,
      token.replace(/.$/, token.endsWith('A') ? 'Q' : 'A'),
      "' OR 1=1 --",
    ]) {
      expect(await answer(store, guess, 'yes')).toEqual({ kind: 'unknown' });
    }
    const kept = JSON.stringify([
      await store.db.selectFrom('challenges').selectAll().execute(),
      await store.db.selectFrom('notifications').selectAll().execute(),
    ]);
    expect(kept).not.toContain(token);
  });

  it('go out with a link in which nothing of the customer is', async () => {
    const store = await open();
    const token = await asked(store);
    const [{ notification }] = await listNotifications(store.db, {}, null, 1);
    const message = messageOf('m', [notification], 1, 'es', linksOf('https://banco.example/', KEYS));
    expect(message.link).toBe(`https://banco.example/fuiste-tu/${token}`);
    expect(message.link).not.toContain('customer-77');
    expect(message.text).toContain('S/ 1,500.00');
    expect(linksOf('https://banco.example', [])(notification)).toBeNull();
    expect(() => demandChallengeLink(null)).toThrow('baseUrl');
  });
});

describeOnEachEngine('ids of inbound webhooks', (open) => {
  it('count once for each source, also where they come at the same time', async () => {
    const store = await open();
    const take = (source: string, id: string) => store.transact((tx) => takeOnce(tx, source, id, NOON_MS));
    const all = await Promise.all([
      take('app', 'a'),
      take('app', 'a'),
      take('app', 'a'),
      take('other', 'a'),
      take('app', 'b'),
    ]);
    expect(all.filter((isNew) => isNew)).toHaveLength(3);
    expect(await take('app', 'a')).toBe(false);
  });
});

import { expect, it } from 'vitest';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { NotificationDraft } from '../../src/notify/notification.ts';
import type { ChannelSettings, NotificationSettings, Route } from '../../src/notify/settings.ts';
import { linksOf } from '../../src/records/notifications/challenges.ts';
import { forgetNotifications, listNotifications } from '../../src/records/notifications/history.ts';
import { finishMessage, leaseDue, listMessages, messagesOf } from '../../src/records/notifications/messages.ts';
import { createNotifier, type Notifier, type NotifierLimits } from '../../src/records/notifications/notifier.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type CollectingChannel, collectingChannel } from './collecting-channel.ts';
import { webhookSettings } from './settings-example.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** 12:00 in Lima. */
const NOON_MS = Date.UTC(2026, 10, 26, 17);
const WHO = { actor: { kind: 'user' as const, id: 'u1', name: 'Analista' }, address: '10.0.0.1' };
const ALL: Route = {
  ...{ name: 'all', match: {}, channels: ['mail'], groupBy: 'case', groupWindowMs: 10 * MINUTE_MS, ladder: null },
  continues: false,
};

interface Bench {
  readonly store: RecordStore;
  readonly notifier: Notifier;
  readonly channels: Map<string, CollectingChannel>;
  readonly audit: AuditEntryDraft[];
  readonly clock: { nowMs: number };
  tell(...drafts: NotificationDraft[]): Promise<void>;
  /** Works every so often until the time has passed. */
  pass(ms: number, stepMs?: number): Promise<void>;
}

interface BenchOptions {
  readonly routes?: readonly Route[];
  readonly ladders?: NotificationSettings['ladders'];
  readonly channels?: Readonly<Record<string, Partial<ChannelSettings>>>;
  readonly retry?: NotificationSettings['retry'];
  readonly limits?: Partial<NotifierLimits>;
}

function benchOf(store: RecordStore, options: BenchOptions = {}): Bench {
  const clock = { nowMs: NOON_MS };
  const wanted = options.channels ?? { mail: {} };
  const channels = new Map(Object.keys(wanted).map((name) => [name, collectingChannel()]));
  const settings: NotificationSettings = {
    ...{ baseUrl: 'https://centinela.example', allowedNetworks: [], routes: [...(options.routes ?? [ALL])] },
    channels: Object.fromEntries(Object.entries(wanted).map(([name, more]) => [name, webhookSettings(more)])),
    ladders: options.ladders ?? [],
    retry: options.retry ?? { attempts: 3, firstMs: 1000, mostMs: 60_000 },
  };
  const audit: AuditEntryDraft[] = [];
  const notifier = createNotifier({
    ...{ store, channels, settings, nowMs: () => clock.nowMs, linkOf: linksOf(settings.baseUrl, []) },
    record: async (_, entry) => void audit.push(entry),
    onTrouble(error) {
      throw error;
    },
    limits: options.limits ?? {},
  });
  return {
    ...{ store, notifier, channels, audit, clock },
    tell: (...drafts) => store.transact((tx) => notifier.notify(tx, ...drafts)),
    async pass(ms, stepMs = MINUTE_MS) {
      const endMs = clock.nowMs + ms;
      while (clock.nowMs < endMs) {
        await notifier.runOnce();
        clock.nowMs = Math.min(endMs, clock.nowMs + stepMs);
      }
      await notifier.runOnce();
    },
  };
}

function alert(index: number, more: Partial<NotificationDraft> = {}): NotificationDraft {
  return {
    ...{ id: `alert:${index}`, kind: 'alert', severity: 'medium', atMs: NOON_MS + index, caseId: 'c1' },
    ...{ title: { es: `Alerta ${index}`, en: `Alert ${index}` }, text: { es: 'Texto', en: 'Text' } },
    ...{ linkPath: `/alerts/${index}`, subject: { kind: 'alert', id: String(index) }, ...more },
  };
}

const titles = (channel: CollectingChannel | undefined) => channel?.messages.map(({ title }) => title);

describeOnEachEngine('the notifier', (open) => {
  it('tells what was committed, and what was not committed never was', async () => {
    const { store, notifier, channels, tell } = benchOf(await open());
    const failed = store.transact(async (tx) => {
      await notifier.notify(tx, alert(1));
      throw new Error('the alert could not be kept');
    });
    await expect(failed).rejects.toThrow('could not be kept');
    await tell(alert(2));
    await tell(alert(2));
    await notifier.runOnce();
    expect(titles(channels.get('mail'))).toEqual(['Alerta 2']);
    expect(channels.get('mail')?.messages[0].link).toBe('https://centinela.example/alerts/2');
    expect(notifier.counters().channels.get('mail')).toMatchObject({ begun: 1, delivered: 1 });
  });

  it('tells the first of a case at once and the rest of the window as one summary', async () => {
    const { notifier, channels, tell, pass, store } = benchOf(await open());
    await tell(alert(1));
    await notifier.runOnce();
    await tell(alert(2), alert(3, { severity: 'high' }), alert(4, { caseId: 'c2' }));
    await pass(10 * MINUTE_MS);
    expect(titles(channels.get('mail'))).toEqual(['Alerta 1', 'Alerta 4', '2 avisos, severidad alta: Alerta 2']);
    expect(channels.get('mail')?.messages[2].items.map(({ id }) => id)).toEqual(['alert:2', 'alert:3']);
    expect(await messagesOf(store.db, 'alert:3')).toMatchObject([{ channel: 'mail', state: 'delivered', attempts: 1 }]);
    expect(notifier.counters().channels.get('mail')).toMatchObject({ begun: 3, joined: 1, delivered: 3 });
  });

  it('tries again with growing pauses under the same id, gives up, hands over, and sends anew when it is asked to', async () => {
    const bench = benchOf(await open(), { channels: { mail: { fallback: 'chat' }, chat: {} } });
    const { notifier, channels, clock, tell, pass, store, audit } = bench;
    const mail = channels.get('mail')!;
    mail.outcome = () => ({ kind: 'retry', reason: 'HTTP 503', afterMs: null });
    await tell(alert(1));
    await notifier.runOnce();
    expect(mail.messages).toHaveLength(1);
    await notifier.runOnce();
    expect(mail.messages).toHaveLength(1);
    await pass(10_000, 100);
    expect(mail.messages).toHaveLength(3);
    expect(new Set(mail.messages.map(({ id }) => id)).size).toBe(1);
    expect(titles(channels.get('chat'))).toEqual(['Alerta 1']);
    const dead = await listMessages(store.db, true, null, 10);
    expect(dead).toMatchObject([{ channel: 'mail', state: 'dead', attempts: 3, lastProblem: 'HTTP 503' }]);
    expect(audit).toMatchObject([
      { action: 'notification.given-up', actor: { kind: 'system' }, detail: { fallback: 'chat' } },
    ]);

    mail.outcome = () => ({ kind: 'delivered' });
    await store.transact((tx) => notifier.resend(tx, dead[0].id, WHO));
    await expect(store.transact((tx) => notifier.resend(tx, dead[0].id, WHO))).rejects.toThrow('given up');
    await notifier.runOnce();
    expect(mail.messages).toHaveLength(4);
    expect(await listMessages(store.db, true, null, 10)).toEqual([]);
    expect(clock.nowMs).toBe(NOON_MS + 10_000);
    expect(notifier.counters().channels.get('mail')).toMatchObject({ delivered: 1, retried: 2, dead: 1 });
  });

  it('sends again what a sender that died had taken, and a late answer of that one changes nothing', async () => {
    const { notifier, channels, clock, tell, store } = benchOf(await open());
    await tell(alert(1));
    channels.get('mail')!.outcome = () => ({ kind: 'retry', reason: 'X', afterMs: null });
    await notifier.runOnce();
    clock.nowMs += MINUTE_MS;
    const request = { leaseMs: 90_000, most: 10, busy: [] };
    const [taken] = await leaseDue(store, { ...request, nowMs: clock.nowMs });
    expect(taken.attempt).toBe(2);
    expect(await leaseDue(store, { ...request, nowMs: clock.nowMs + 89_000 })).toEqual([]);
    const [again] = await leaseDue(store, { ...request, nowMs: clock.nowMs + 90_000 });
    expect(again).toEqual({ ...taken, attempt: 3 });
    const late = await store.transact((tx) => finishMessage(tx, taken, { kind: 'delivered' }, clock.nowMs));
    expect(late).toBe(false);
    expect(await store.transact((tx) => finishMessage(tx, again, { kind: 'delivered' }, clock.nowMs))).toBe(true);
  });

  it('keeps silent where somebody asked for it, and remembers who and what was not told', async () => {
    const { notifier, channels, tell, store, clock, audit } = benchOf(await open());
    const silence = {
      ...{ id: 's1', match: { kinds: ['alert' as const] }, subjectId: null, includesCritical: false, by: 'u1' },
      ...{ why: 'Simulacro', fromMs: NOON_MS, untilMs: NOON_MS + HOUR_MS },
    };
    await store.transact((tx) => notifier.silence(tx, silence, WHO));
    await tell(alert(1), alert(2, { severity: 'critical' }));
    await notifier.runOnce();
    expect(titles(channels.get('mail'))).toEqual(['Alerta 2']);
    const rows = await listNotifications(store.db, {}, null, 10);
    expect(rows.map(({ notification, state, silenceId }) => [notification.id, state, silenceId])).toEqual([
      ['alert:2', 'planned', null],
      ['alert:1', 'silenced', 's1'],
    ]);
    clock.nowMs += 1000;
    await store.transact((tx) => notifier.endSilence(tx, 's1', WHO));
    await tell(alert(3, { caseId: 'c3' }));
    await notifier.runOnce();
    expect(titles(channels.get('mail'))).toEqual(['Alerta 2', 'Alerta 3']);
    await expect(store.transact((tx) => notifier.endSilence(tx, 's1', WHO))).rejects.toThrow('s1');
    expect(audit.map(({ action }) => action)).toEqual(['notification.silenced', 'notification.silence-ended']);
  });

  it('goes up the ladder until somebody acknowledges', async () => {
    const bench = benchOf(await open(), {
      channels: { mail: {}, chat: {}, pager: {} },
      routes: [{ ...ALL, ladder: 'fraud' }],
      ladders: [
        {
          name: 'fraud',
          levels: [
            { afterMs: 10 * MINUTE_MS, channels: ['chat'] },
            { afterMs: 15 * MINUTE_MS, channels: ['pager'] },
          ],
        },
      ],
    });
    const { notifier, channels, tell, pass, store, audit } = bench;
    await tell(alert(1), alert(2, { caseId: 'c2' }), alert(3, { caseId: 'c3' }));
    await store.transact((tx) => notifier.acknowledge(tx, { subject: { kind: 'alert', id: '3' } }, WHO));
    await pass(10 * MINUTE_MS);
    expect(titles(channels.get('chat'))?.sort()).toEqual([
      'Sin atender hace 10 min: Alerta 1',
      'Sin atender hace 10 min: Alerta 2',
    ]);
    // By the escalation's own id, as a link in its message has it.
    const ended = await store.transact((tx) => notifier.acknowledge(tx, { id: 'alert:1~1' }, WHO));
    expect(ended).toEqual(['alert:1', 'alert:1~1']);
    await pass(HOUR_MS);
    expect(titles(channels.get('chat'))).toHaveLength(2);
    expect(titles(channels.get('pager'))).toEqual(['Sin atender hace 25 min: Alerta 2']);
    expect(notifier.counters().escalated).toBe(3);
    expect(audit.filter(({ action }) => action === 'notification.acknowledged')).toHaveLength(3);
  });

  it('holds what can wait until the morning', async () => {
    const quietHours = { from: '22:00', to: '07:00', breaksThrough: ['critical' as const] };
    const { channels, clock, tell, pass } = benchOf(await open(), { channels: { mail: { quietHours } } });
    clock.nowMs = Date.UTC(2026, 10, 27, 4);
    await tell(alert(1), alert(2));
    await pass(8 * HOUR_MS - 1, HOUR_MS);
    expect(titles(channels.get('mail'))).toEqual([]);
    await pass(1);
    expect(titles(channels.get('mail'))).toEqual(['2 avisos, severidad media: Alerta 1']);
  });

  it('loses nothing in a storm over channels that fail half of the time', async () => {
    const bench = benchOf(await open(), {
      channels: { mail: { rate: { most: 5, perMs: MINUTE_MS } }, chat: { rate: { most: 20, perMs: MINUTE_MS } } },
      routes: [
        {
          ...ALL,
          name: 'severe',
          match: { severities: ['high', 'critical'] },
          channels: ['chat'],
          groupBy: 'none',
          continues: true,
        },
        { ...ALL, groupWindowMs: 5 * MINUTE_MS },
      ],
      retry: { attempts: 50, firstMs: 1000, mostMs: 30_000 },
    });
    const { channels, tell, pass, store, notifier } = bench;
    const draw = createPrng(7);
    const delivered = new Map<string, Set<string>>([...channels.keys()].map((name) => [name, new Set()]));
    for (const [name, channel] of channels) {
      channel.outcome = ({ items }) => {
        if (draw.nextFloat() < 0.5) return { kind: 'retry', reason: 'HTTP 503', afterMs: null };
        for (const { id } of items) delivered.get(name)!.add(id);
        return { kind: 'delivered' };
      };
    }
    const severities = ['low', 'medium', 'high', 'critical'] as const;
    const told: NotificationDraft[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const drafts = Array.from({ length: 20 }, (_, index) =>
        alert(turn * 20 + index, { severity: severities[draw.nextBelow(4)], caseId: `c${draw.nextBelow(6)}` }),
      );
      told.push(...drafts);
      await tell(...drafts);
      await pass(draw.nextBelow(2 * MINUTE_MS) + 1, MINUTE_MS);
    }
    await pass(30 * MINUTE_MS, 2 * MINUTE_MS);
    expect([...delivered.get('mail')!].sort()).toEqual(told.map(({ id }) => id).sort());
    const severe = told.filter(({ severity }) => severity === 'high' || severity === 'critical');
    expect([...delivered.get('chat')!].sort()).toEqual(severe.map(({ id }) => id).sort());
    expect(await listMessages(store.db, true, null, 10)).toEqual([]);
    expect(notifier.counters()).toMatchObject({ planned: 160, silenced: 0, unrouted: 0 });
    // Summaries, not 160 mails.
    expect(new Set(channels.get('mail')!.messages.map(({ id }) => id)).size).toBeLessThan(60);
  });

  it('shares the work between processes: each message is sent by one of them', async () => {
    const store = await open();
    const first = benchOf(store, { routes: [{ ...ALL, groupBy: 'none' }] });
    const second = benchOf(store, { routes: [{ ...ALL, groupBy: 'none' }] });
    await first.tell(...Array.from({ length: 40 }, (_, index) => alert(index)));
    await Promise.all([first.notifier.runOnce(), second.notifier.runOnce()]);
    await first.notifier.runOnce();
    const sent = [first, second].flatMap(({ channels }) =>
      channels.get('mail')!.messages.flatMap(({ items }) => items),
    );
    expect(sent.map(({ id }) => id).sort()).toEqual(Array.from({ length: 40 }, (_, index) => `alert:${index}`).sort());
  });

  it('lets a channel that hangs keep no other waiting', async () => {
    const bench = benchOf(await open(), {
      channels: { mail: {}, chat: {} },
      routes: [{ ...ALL, channels: ['mail', 'chat'], groupBy: 'none' }],
      limits: { deadlineMs: 300 },
    });
    const { channels, tell, notifier } = bench;
    channels.get('mail')!.outcome = () => new Promise(() => {});
    await tell(...Array.from({ length: 10 }, (_, index) => alert(index)));
    const round = notifier.runOnce();
    await expect.poll(() => channels.get('chat')!.messages.length, { timeout: 5000 }).toBe(10);
    await round;
    expect(notifier.counters().channels.get('mail')!.retried).toBeGreaterThan(0);
  });

  it('works by itself once it is started, takes a channel that throws as one that failed, and stops gracefully', async () => {
    const store = await open();
    const channel = collectingChannel();
    const troubles: Error[] = [];
    const settings: NotificationSettings = {
      ...{ baseUrl: null, allowedNetworks: [], channels: { mail: webhookSettings() }, routes: [ALL], ladders: [] },
      retry: { attempts: 3, firstMs: 10, mostMs: 20 },
    };
    const notifier = createNotifier({
      ...{
        store,
        settings,
        channels: new Map([['mail', channel]]),
        nowMs: () => Math.floor(performance.now()) + NOON_MS,
      },
      ...{ linkOf: () => null, record: async () => {}, onTrouble: (error) => void troubles.push(error) },
      limits: { idleMs: 50 },
    });
    const answers = [() => Promise.reject(new Error('broken'))];
    channel.outcome = () => answers.shift()?.() ?? { kind: 'delivered' };
    notifier.start();
    await store.transact((tx) => notifier.notify(tx, alert(1)));
    await expect.poll(() => notifier.counters().channels.get('mail')?.delivered, { timeout: 5000 }).toBe(1);
    expect(troubles.map(({ message }) => message)).toEqual(['broken']);
    let isDone = false;
    channel.outcome = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      isDone = true;
      return { kind: 'delivered' };
    };
    await store.transact((tx) => notifier.notify(tx, alert(2, { caseId: 'c2' })));
    await expect.poll(() => notifier.counters().sending, { timeout: 5000, interval: 5 }).toBe(1);
    await notifier.stop();
    expect([isDone, channel.isClosed]).toEqual([true, true]);
    expect(await listMessages(store.db, false, null, 10)).toMatchObject([
      { state: 'delivered' },
      { state: 'delivered' },
    ]);
  });

  it('pages its lists from the newest on, and forgets what ended long ago and nothing else', async () => {
    const { channels, clock, tell, store, notifier } = benchOf(await open(), { routes: [{ ...ALL, groupBy: 'none' }] });
    await tell(...Array.from({ length: 7 }, (_, index) => alert(index)));
    await notifier.runOnce();
    const first = await listNotifications(store.db, {}, null, 4);
    const last = first.at(-1)!.notification;
    const second = await listNotifications(store.db, {}, { timeMs: last.atMs, id: last.id }, 4);
    expect([...first, ...second].map(({ notification }) => notification.id)).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((index) => `alert:${index}`),
    );
    channels.get('mail')!.outcome = () => ({ kind: 'retry', reason: 'X', afterMs: null });
    await tell(alert(99));
    await notifier.runOnce();
    clock.nowMs += 90 * 24 * HOUR_MS;
    const forget = () => store.transact((tx) => forgetNotifications(tx, clock.nowMs - HOUR_MS, clock.nowMs, 4));
    while ((await forget()) > 0);
    expect((await listNotifications(store.db, {}, null, 10)).map(({ notification }) => notification.id)).toEqual([
      'alert:99',
    ]);
    expect(await listMessages(store.db, false, null, 10)).toMatchObject([{ state: 'pending' }]);
  });
});

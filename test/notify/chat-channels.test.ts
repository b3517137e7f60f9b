import { afterEach, describe, expect, it } from 'vitest';
import { openAlertmanagerChannel } from '../../src/adapters/alertmanager/alertmanager-channel.ts';
import { type ChatMessage, openChatChannel, slackBody, teamsBody } from '../../src/adapters/chat/chat-channel.ts';
import { createGuardedPost } from '../../src/adapters/webhook/guarded-post.ts';
import { createNetworkGuard } from '../../src/adapters/webhook/network-guard.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const post = createGuardedPost({ guard: createNetworkGuard(['127.0.0.0/8']) });
const MESSAGE: ChatMessage = {
  ...{
    language: 'es',
    severity: 'critical',
    title: 'Alerta <!channel> & más',
    text: 'Línea *1*\n[x](https://evil.example)',
  },
  link: 'https://centinela.example/alerts/a1',
};
const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});

async function receiver(): Promise<Receiver> {
  const started = await startReceiver();
  receivers.push(started);
  return started;
}

describe('a room of Slack', () => {
  it('gets blocks in which no text can call everybody', async () => {
    const slack = await receiver();
    slack.answer = () => ({ status: 200, text: 'ok' });
    const channel = openChatChannel({ kind: 'slack', url: `${slack.url}/services/T/B/x`, timeoutMs: 2000, post });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    const sent = JSON.parse(slack.received[0].body.toString());
    expect(sent.text).toBe('🔴 Alerta &lt;!channel&gt; &amp; más');
    expect(sent.blocks.map(({ type }: { type: string }) => type)).toEqual(['header', 'section', 'actions']);
    expect(sent.blocks[2].elements[0]).toMatchObject({ type: 'button', url: MESSAGE.link });
    slack.answer = () => ({ status: 429, headers: { 'retry-after': '30' } });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'retry', reason: 'HTTP 429', afterMs: 30_000 });
  });

  it("keeps to Slack's limits", () => {
    const body = slackBody({ ...MESSAGE, title: 'x'.repeat(1000), text: '<'.repeat(4000) }) as {
      blocks: { text: { text: string } }[];
    };
    expect(body.blocks[0].text.text.length).toBeLessThanOrEqual(150);
    expect(body.blocks[1].text.text.length).toBeLessThanOrEqual(3000);
    expect(body.blocks[1].text.text).toMatch(/^(&lt;)+…$/);
  });
});

describe('a room of Teams', () => {
  it('gets an Adaptive Card in which no text is a link', async () => {
    const teams = await receiver();
    teams.answer = () => ({ status: 202 });
    const channel = openChatChannel({ kind: 'teams', url: teams.url, timeoutMs: 2000, post });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    const [attachment] = JSON.parse(teams.received[0].body.toString()).attachments;
    expect(attachment.contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(attachment.content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
    expect(attachment.content.body[2].text).toBe('\\[x\\](https://evil.example)');
    expect(attachment.content.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Abrir en Centinela', url: MESSAGE.link },
    ]);
    expect((teamsBody({ ...MESSAGE, link: null }) as typeof attachment).attachments[0].content.actions).toEqual([]);
  });

  it('is asked again where it says in a 200 that it was too busy', async () => {
    const teams = await receiver();
    const channel = openChatChannel({ kind: 'teams', url: teams.url, timeoutMs: 2000, post });
    teams.answer = () => ({
      status: 200,
      text: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429',
    });
    expect(await channel.deliver(MESSAGE)).toMatchObject({ kind: 'retry', reason: 'HTTP 429' });
    teams.answer = () => ({ status: 200, text: '1' });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
  });
});

describe('an Alertmanager', () => {
  it('gets one alert for each set of labels, whose values are few however many ids there are', async () => {
    const alertmanager = await receiver();
    const channel = openAlertmanagerChannel({
      ...{ url: alertmanager.url, token: 'token-for-tests', resolveAfterMs: 3_600_000, timeoutMs: 2000, post },
    });
    const item = (index: number) => ({
      ...{ id: `n${index}`, kind: 'alert', severity: 'high', state: 'firing' as const, title: `T${index}`, text: 'x' },
      ...{ link: null, queue: 'fraud', typology: 'F02', code: `code-${index}`, atMs: 1_764_172_800_000 + index },
    });
    const items = Array.from({ length: 500 }, (_, index) => item(index));
    expect(await channel.deliver({ items })).toEqual({ kind: 'delivered' });
    const sent = alertmanager.received.flatMap(({ body }) => JSON.parse(body.toString()));
    expect(sent).toHaveLength(101);
    expect(new Set(sent.map(({ labels }: { labels: { code: string } }) => labels.code)).has('other')).toBe(true);
    expect(sent[0]).toMatchObject({
      labels: { alertname: 'Centinela_alert', severity: 'high', queue: 'fraud', typology: 'F02', code: 'code-0' },
      ...{ startsAt: '2025-11-26T16:00:00.000Z', endsAt: '2025-11-26T17:00:00.000Z' },
    });
    for (const { path, headers, body } of alertmanager.received) {
      expect(path).toBe('/api/v2/alerts');
      expect(headers.authorization).toBe('Bearer token-for-tests');
      expect(body.length).toBeLessThanOrEqual(65_536);
    }
    expect(await channel.deliver({ items: [{ ...item(0), state: 'resolved', atMs: 1_764_172_900_000 }] })).toEqual({
      kind: 'delivered',
    });
    const [resolved] = JSON.parse(alertmanager.received.at(-1)!.body.toString());
    expect(resolved.endsAt).toBe('2025-11-26T16:01:40.000Z');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_ITEMS, messageOf } from './message.ts';
import { notificationOf } from './notification.ts';
import { retryAfterMs } from './retry.ts';
import { webhookBody } from './webhook-channel.ts';

const alert = (index: number, text = 'x') =>
  notificationOf({
    ...{
      id: `alert:${index}`,
      kind: 'alert',
      severity: index === 1 ? 'critical' : 'low',
      atMs: index,
      linkPath: `/alerts/${index}`,
    },
    ...{ title: { es: `Alerta ${index}`, en: `Alert ${index}` }, text: { es: text, en: text } },
  });
const linkOf = ({ linkPath }: { linkPath: string | null }) =>
  linkPath === null ? null : `https://c.example${linkPath}`;

describe('a message', () => {
  it('of one notification is that notification', () => {
    expect(messageOf('m', [alert(0)], 1, 'en', linkOf)).toMatchObject({
      ...{ title: 'Alert 0', text: 'x', link: 'https://c.example/alerts/0', severity: 'low', total: 1 },
    });
  });

  it('of several is a summary that says how many, the worst, the first ones and how many more', () => {
    const members = Array.from({ length: 25 }, (_, index) => alert(index));
    const { title, text, severity, link } = messageOf('m', members, 1000, 'es', linkOf);
    expect(title).toBe('1000 avisos, severidad crítica: Alerta 0');
    expect(text.split('\n').slice(0, 4)).toEqual([
      ...['• [baja] Alerta 0', '  https://c.example/alerts/0', '• [crítica] Alerta 1', '  https://c.example/alerts/1'],
    ]);
    expect(text.endsWith('… y 980 más')).toBe(true);
    expect([severity, link]).toEqual(['critical', null]);
  });

  it('for another system fits into its limit, however long the texts are', () => {
    const members = Array.from({ length: MOST_ITEMS }, (_, index) => alert(index, 'ñ'.repeat(4000)));
    const body = webhookBody(messageOf('m', members, 5000, 'es', linkOf));
    expect(body.length).toBeLessThanOrEqual(65_536);
    const read = JSON.parse(new TextDecoder().decode(body));
    expect(read).toMatchObject({ version: 1, id: 'm', total: 5000 });
    expect(read.notifications.length).toBeGreaterThan(3);
  });
});

describe('the pause before another attempt', () => {
  const retry = { attempts: 12, firstMs: 1000, mostMs: 3_600_000 };
  it('doubles up to its limit, lies in the upper half, is the same each time, and differs between messages', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 100 }), (id, attempt) => {
        const pauseMs = retryAfterMs(retry, id, attempt, null);
        const fullMs = Math.min(3_600_000, 1000 * 2 ** (attempt - 1));
        expect(pauseMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(pauseMs).toBeLessThanOrEqual(fullMs);
        expect(retryAfterMs(retry, id, attempt, null)).toBe(pauseMs);
      }),
    );
    expect(
      new Set(Array.from({ length: 50 }, (_, index) => retryAfterMs(retry, `m${index}`, 5, null))).size,
    ).toBeGreaterThan(45);
  });

  it('is as long as the receiver asked, within the limit', () => {
    expect(retryAfterMs(retry, 'm', 1, 60_000)).toBe(60_000);
    expect(retryAfterMs(retry, 'm', 1, 10 ** 9)).toBe(3_600_000);
  });
});

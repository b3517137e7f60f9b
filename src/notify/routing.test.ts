import { describe, expect, it } from 'vitest';
import { maskNumbersIn } from '../domain/mask.ts';
import { type NotificationDraft, notificationOf } from './notification.ts';
import { demandSilence, escalationOf, groupKeyOf, legsOf, levelDueMs, type Silence, silenceOf } from './routing.ts';
import type { Ladder, Route } from './settings.ts';

const NOON_MS = Date.UTC(2026, 10, 26, 17);
const DRAFT: NotificationDraft = {
  ...{ id: 'alert:a1', kind: 'alert', severity: 'high', atMs: NOON_MS, typology: 'F02', caseId: 'c1', queue: 'fraud' },
  title: { es: 'Alerta de S/ 1,500.00', en: 'Alert of S/ 1,500.00' },
  text: { es: 'Monto fuera de perfil', en: 'Amount out of profile' },
};
const ALERT = notificationOf(DRAFT);
const route = (more: Partial<Route>): Route => ({
  ...{ name: 'all', match: {}, channels: ['mail'], groupBy: 'none', groupWindowMs: 60_000, ladder: null },
  ...{ continues: false, ...more },
});
const known = new Set(['mail', 'chat', 'pager']);

describe('routes', () => {
  it('are tried in order, and the first that matches takes it unless it lets others see it, too', () => {
    const routes = [
      route({ name: 'errors', match: { typologies: ['E01'] }, channels: ['pager'] }),
      route({ name: 'fraud', match: { queues: ['fraud'], kinds: ['alert'] }, channels: ['chat'], continues: true }),
      route({ name: 'night', match: { hours: { from: '22:00', to: '06:00' } }, channels: ['pager'] }),
      route({ name: 'all', channels: ['mail', 'chat'], ladder: 'fraud' }),
      route({ name: 'never', channels: ['pager'] }),
    ];
    const { legs, ladder } = legsOf(routes, known, ALERT, NOON_MS);
    expect(legs.map((leg) => [leg.channel, leg.route.name])).toEqual([
      ['chat', 'fraud'],
      ['mail', 'all'],
    ]);
    expect(ladder).toBe('fraud');
    expect(legsOf(routes, known, ALERT, NOON_MS + 12 * 3_600_000).legs.map(({ channel }) => channel)).toEqual([
      'chat',
      'pager',
    ]);
  });

  it('are not asked where channels are given, unless there are no such channels any more', () => {
    const direct = notificationOf({ ...DRAFT, channels: ['pager'] });
    expect(legsOf([route({})], known, direct, NOON_MS).legs.map(({ channel }) => channel)).toEqual(['pager']);
    const stale = notificationOf({ ...DRAFT, channels: ['fax'] });
    expect(legsOf([route({})], known, stale, NOON_MS).legs.map(({ channel }) => channel)).toEqual(['mail']);
  });

  it('group by what they say, where the notification has it', () => {
    const leg = (groupBy: Route['groupBy']) => ({ channel: 'mail', route: route({ groupBy }) });
    expect(groupKeyOf(leg('case'), ALERT)).toBe('["all","c1"]');
    expect(groupKeyOf(leg('customer'), ALERT)).toBeNull();
    expect(groupKeyOf(leg('none'), ALERT)).toBeNull();
  });
});

describe('silences', () => {
  const silence: Silence = {
    ...{ id: 's1', match: { typologies: ['F02'] }, subjectId: null, includesCritical: false, by: 'u1', why: 'drill' },
    ...{ fromMs: NOON_MS - 1000, untilMs: NOON_MS + 1000 },
  };

  it('hold from their beginning until before their end, for what they match', () => {
    expect(silenceOf([silence], ALERT, NOON_MS)?.id).toBe('s1');
    expect(silenceOf([silence], ALERT, NOON_MS + 1000)).toBeNull();
    expect(silenceOf([silence], ALERT, NOON_MS - 1001)).toBeNull();
    expect(silenceOf([silence], { ...ALERT, typology: 'F03' }, NOON_MS)).toBeNull();
    expect(silenceOf([{ ...silence, subjectId: 'c2' }], ALERT, NOON_MS)).toBeNull();
    expect(silenceOf([{ ...silence, subjectId: 'c1' }], ALERT, NOON_MS)?.id).toBe('s1');
  });

  it('let critical through unless they say otherwise, and never hold escalations and questions to customers', () => {
    const critical = { ...ALERT, severity: 'critical' as const };
    expect(silenceOf([silence], critical, NOON_MS)).toBeNull();
    expect(silenceOf([{ ...silence, includesCritical: true }], critical, NOON_MS)?.id).toBe('s1');
    expect(silenceOf([silence], { ...ALERT, kind: 'escalation' }, NOON_MS)).toBeNull();
    expect(silenceOf([silence], { ...ALERT, kind: 'challenge' }, NOON_MS)).toBeNull();
  });

  it('have a reason and an end within 30 days', () => {
    expect(() => demandSilence({ ...silence, why: ' ' })).toThrow('not said why');
    expect(() => demandSilence({ ...silence, untilMs: silence.fromMs })).toThrow('in the past');
    expect(() => demandSilence({ ...silence, untilMs: silence.fromMs + 31 * 86_400_000 })).toThrow('30 days');
  });
});

describe('a ladder', () => {
  const ladder: Ladder = {
    name: 'fraud',
    levels: [
      { afterMs: 600_000, channels: ['chat'] },
      { afterMs: 900_000, channels: ['pager'] },
    ],
  };

  it('goes up level by level and ends after the last', () => {
    expect(levelDueMs(ladder, 0, NOON_MS)).toBe(NOON_MS + 600_000);
    expect(levelDueMs(ladder, 2, NOON_MS)).toBeNull();
    const escalation = escalationOf(ALERT, ladder, 1, NOON_MS + 25 * 60_000);
    expect(escalation).toMatchObject({ id: 'alert:a1~2', kind: 'escalation', channels: ['pager'], severity: 'high' });
    expect(escalation.title.es).toBe('Sin atender hace 25 min: Alerta de S/ 1,500.00');
  });
});

describe('what is told', () => {
  it('has no card number, account, document, phone or address in clear, though somebody wrote them', () => {
    const text =
      'Tarjeta 9604 1234 5678 9016, CCI 00299900000000001234, DNI 12345678, DNI N° 12345678, RUC: 20123456789, ' +
      'celular 987 654 321 y +51987654321, ana.perez+x@correo.example.pe';
    const clean = maskNumbersIn(text);
    for (const secret of [
      '56789016',
      '5678 9016',
      '000000001234',
      '12345678',
      '20123456789',
      '987 654',
      '987654',
      'ana.perez',
      'correo',
    ]) {
      expect(clean).not.toContain(secret);
    }
    expect(clean).toContain('Tarjeta 960412******9016');
  });

  it('keeps ids, codes, amounts and times as they are', () => {
    const text =
      'Operación tx-2026112600000123 por S/ 123,456,789.00, caso 3f2a9876-5432-4111-8111-987654321000, 26/11/2026 12:00';
    expect(maskNumbersIn(text)).toBe(text);
  });

  it('is cut to its limits and has no control characters', () => {
    const { title } = notificationOf({ ...DRAFT, title: { es: `a\r\nBcc: x\u0000${'z'.repeat(500)}`, en: 'b' } });
    expect(title.es.startsWith('a Bcc: x z')).toBe(true);
    expect([...title.es]).toHaveLength(200);
    expect(() => notificationOf({ ...DRAFT, id: '' })).toThrow('id');
    expect(() => notificationOf({ ...DRAFT, linkPath: '//evil.example' })).toThrow('no path');
    expect(() => notificationOf({ ...DRAFT, linkPath: 'https://evil.example' })).toThrow('no path');
    expect(() => notificationOf({ ...DRAFT, channels: [] })).toThrow('channels');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../decisions/reason-codes.ts';
import { REASONS_OF_QUALITY } from '../decisions/reasons-of-quality.ts';
import {
  CHALLENGE_REASONS,
  challengeId,
  challengeReasonOf,
  challengeToken,
  challengeWords,
  isReliable,
  tokenHash,
  verdictOf,
} from './challenge.ts';

const KEYS = [
  { name: 'k2', key: new Uint8Array(32).fill(2) },
  { name: 'k1', key: new Uint8Array(32).fill(1) },
];
const NOON_MS = Date.UTC(2026, 10, 26, 17, 5);

describe('a question to a customer', () => {
  it('is not asked about what could end in a report to the UIF', () => {
    for (const code of [
      'FRACCIONAMIENTO',
      'PASO_RAPIDO',
      'ABANICO_ENTRADA',
      'CICLO',
      'LEXICO_EXTORSION',
      'CERCA_DE_UMBRAL',
    ]) {
      expect(Object.keys(REASON_CODES)).toContain(code);
      expect(challengeReasonOf({ reasonCodes: ['MONTO_FUERA_DE_PERFIL', code], typology: null })).toBeNull();
    }
    for (const typology of ['F08', 'F09', 'F10', 'F11', 'F12', 'F18']) {
      expect(challengeReasonOf({ reasonCodes: ['MONTO_FUERA_DE_PERFIL'], typology })).toBeNull();
    }
    expect(challengeReasonOf({ reasonCodes: ['X', 'DISPOSITIVO_NUEVO'], typology: 'F03' })).toBe('device');
    expect(challengeReasonOf({ reasonCodes: [], typology: null })).toBe('other');
  });

  it('has a stated answer for every reason of behaviour: asked in words of its own, or never', () => {
    const asked: string[] = [];
    const never: string[] = [];
    for (const code of Object.keys(REASON_CODES)) {
      const reason = challengeReasonOf({ reasonCodes: [code], typology: null });
      if (reason === null) never.push(code);
      else if (reason !== 'other') asked.push(code);
    }
    // Of the others the bank just "wants to confirm"; a reason of data quality says nothing of the customer.
    const quality = new Set<string>(REASONS_OF_QUALITY.map(([code]) => code));
    expect(asked.length).toBeGreaterThan(12);
    expect(never.filter((code) => quality.has(code))).toEqual(['TITULAR_NO_COINCIDE']);
  });

  it('says amount, time and what was noticed, never fraud, suspicion, risk, a rule or a report', () => {
    const forbidden =
      /fraud|estaf|sospech|suspic|riesgo|risk|alert|lavado|launder|UIF|SBS|regla|rule|bloque|block|modelo|score|inusual|anomal/i;
    for (const reason of CHALLENGE_REASONS) {
      const { title, text } = challengeWords(reason, { amountMinor: 150_000, currency: 'PEN', eventTimeMs: NOON_MS });
      for (const words of [title.es, title.en, text.es, text.en]) expect(words).not.toMatch(forbidden);
      expect(text.es).toContain('S/ 1,500.00 del 26/11 a las 12:05');
      expect(text.en).toContain('S/ 1,500.00 on 26/11 at 12:05');
    }
  });

  it('has a token that needs the key of its time, is never twice the same, and says nothing of the customer', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (a, b) => {
          const [idA, idB] = [challengeId(KEYS, a), challengeId(KEYS, b)];
          const token = challengeToken(KEYS, idA)!;
          expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
          expect(tokenHash(token)).toHaveLength(32);
          expect(token === challengeToken(KEYS, idB)).toBe(Buffer.from(a).equals(Buffer.from(b)));
          expect(challengeToken([KEYS[1]], idA)).toBeNull();
          expect(challengeToken([{ name: 'k2', key: KEYS[1].key }], idA)).not.toBe(token);
        },
      ),
      { numRuns: 50 },
    );
    const old = challengeId([KEYS[1]], new Uint8Array(16));
    expect(challengeToken(KEYS, old)).toBe(challengeToken([KEYS[1]], old));
    expect(() => challengeId([], new Uint8Array(16))).toThrow('key of challenges');
    expect(() => challengeId([{ name: 'k1', key: new Uint8Array(31) }], new Uint8Array(16))).toThrow('32 bytes');
  });

  it('takes nothing for a token that cannot be one', () => {
    for (const text of ['', 'x', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}=`, `${'a'.repeat(42)}'`]) {
      expect(tokenHash(text)).toBeNull();
    }
  });

  it('believes a no, and a yes unless whoever took the account over may have said it', () => {
    expect([verdictOf('yes'), verdictOf('no'), verdictOf('later')]).toEqual(['genuine', 'fraud', 'unknown']);
    expect(isReliable('amount', 'yes')).toBe(true);
    expect(isReliable('device', 'yes')).toBe(false);
    expect(isReliable('security', 'yes')).toBe(false);
    expect(isReliable('security', 'no')).toBe(true);
  });
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScopes, isKeySecret, newApiKey, parseApiKey, presentScopes } from './api-keys.ts';
import { PERMISSIONS, permissionsOf } from './permissions.ts';
import { hashRecoveryCode, isRecoveryCode, newRecoveryCodes, RECOVERY_CODES } from './recovery-codes.ts';
import { csrfToken, hashSecret, isCsrfToken, isToken, newToken } from './tokens.ts';
import { base32, hotp, matchingStep, type OtpHash, TOTP_STEP_MS, totpStep, totpUri } from './totp.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const SECRET = ascii('12345678901234567890');

describe('one-time codes', () => {
  it('are those of RFC 4226, appendix D', () => {
    const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
    expect(codes.map((_, counter) => hotp(SECRET, counter))).toEqual(codes);
  });

  it.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('are those of RFC 6238, appendix B, at %d s', (seconds, ...codes) => {
    const seed = (bytes: number) => ascii('1234567890'.repeat(7).slice(0, bytes));
    const kinds: [OtpHash, number][] = [
      ['sha1', 20],
      ['sha256', 32],
      ['sha512', 64],
    ];
    const made = kinds.map(([hash, bytes]) => hotp(seed(bytes), totpStep(seconds * 1000), 8, hash));
    expect(made).toEqual(codes);
  });

  it('count in their step and the ones beside it, and never again', () => {
    const nowMs = 1_800_000_000_000;
    const present = totpStep(nowMs);
    for (const off of [-1, 0, 1]) {
      expect(matchingStep(SECRET, hotp(SECRET, present + off), nowMs, null)).toBe(present + off);
    }
    for (const off of [-3, -2, 2, 3]) expect(matchingStep(SECRET, hotp(SECRET, present + off), nowMs, null)).toBeNull();
    expect(matchingStep(SECRET, hotp(SECRET, present), nowMs, present - 1)).toBe(present);
    expect(matchingStep(SECRET, hotp(SECRET, present), nowMs, present)).toBeNull();
    expect(matchingStep(SECRET, hotp(SECRET, present - 1), nowMs, present)).toBeNull();
    expect(matchingStep(SECRET, hotp(SECRET, present), nowMs + 2 * TOTP_STEP_MS, null)).toBeNull();
  });

  it('are six digits, with spaces if somebody likes', () => {
    const nowMs = 59_000;
    expect(matchingStep(SECRET, '287 082', nowMs, null)).toBe(1);
    for (const code of ['', '28708', '2870822', '２８７０８２', '28708a', '-87082']) {
      expect(matchingStep(SECRET, code, nowMs, null)).toBeNull();
    }
  });

  it('come from a secret that apps can read', () => {
    // RFC 4648, 10.
    const vectors = { f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' };
    for (const [plain, text] of Object.entries(vectors)) expect(base32(ascii(plain))).toBe(text);
    expect(totpUri(SECRET, 'Centinela Perú', 'ana@banco')).toBe(
      'otpauth://totp/Centinela%20Per%C3%BA:ana%40banco?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Centinela%20Per%C3%BA&algorithm=SHA1&digits=6&period=30',
    );
  });
});

describe('recovery codes', () => {
  it('are ten, all different, and are known again however they are typed', () => {
    const codes = newRecoveryCodes(randomBytes);
    expect(new Set(codes).size).toBe(RECOVERY_CODES);
    for (const code of codes) {
      expect(code).toMatch(/^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
      expect(isRecoveryCode(code)).toBe(true);
      expect(hashRecoveryCode('u1', ` ${code.toUpperCase().replaceAll('-', ' ')}`)).toEqual(
        hashRecoveryCode('u1', code),
      );
      expect(hashRecoveryCode('u2', code)).not.toEqual(hashRecoveryCode('u1', code));
    }
    expect(isRecoveryCode('123456')).toBe(false);
  });
});

describe('CSRF tokens', () => {
  it('belong to one session', () => {
    const [token, other] = [newToken(randomBytes), newToken(randomBytes)];
    const csrf = csrfToken(token, 's1');
    expect(isToken(csrf)).toBe(true);
    expect(isCsrfToken(csrf, token, 's1')).toBe(true);
    for (const [given, of, id] of [
      [csrf, other, 's1'],
      [csrf, token, 's2'],
      [`${csrf.slice(0, -2)}AA`, token, 's1'],
      ['', token, 's1'],
    ]) {
      expect(isCsrfToken(given, of, id)).toBe(false);
    }
  });
});

describe('API keys', () => {
  it('are found by their id and proved by their secret', () => {
    const key = newApiKey(randomBytes);
    expect(parseApiKey(key.text)).toEqual({ id: key.id, secret: key.secret });
    expect(isKeySecret(key.secret, hashSecret(key.secret))).toBe(true);
    expect(isKeySecret(newApiKey(randomBytes).secret, hashSecret(key.secret))).toBe(false);
  });

  it('are not made out of anything else', () => {
    const { text } = newApiKey(randomBytes);
    for (const wrong of ['', 'cnt_', text.slice(1), `${text}A`, text.replace('cnt_', 'cnt-'), text.toUpperCase()]) {
      expect(parseApiKey(wrong)).toBeNull();
    }
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (any) => parseApiKey(any) === null));
  });

  it('never may more than their maker, whatever is asked for, and lose what the maker loses', () => {
    const roles = fc.subarray([
      'fraud-analyst',
      'ml-engineer',
      'administrator',
      'auditor',
      'compliance-officer',
    ] as const);
    fc.assert(
      fc.property(roles, roles, fc.subarray([...PERMISSIONS], { minLength: 1 }), (then, today, asked) => {
        const maker = permissionsOf(then);
        let given: readonly string[];
        try {
          given = checkScopes(asked, maker);
        } catch {
          return;
        }
        const bank = ['transactions:score', 'labels:write'];
        for (const scope of given) expect(maker.has(scope as never) || bank.includes(scope)).toBe(true);
        for (const scope of presentScopes(given, today)) {
          expect(given).toContain(scope);
          expect(permissionsOf(today).has(scope) || bank.includes(scope)).toBe(true);
        }
      }),
    );
  });

  it('have no permission that is for people', () => {
    const all = new Set(PERMISSIONS);
    for (const scope of ['users:manage', 'api-keys:manage', 'rules:approve', 'cases:approve', 'personal-data:erase']) {
      expect(() => checkScopes([scope], all)).toThrow(/A person does this/);
    }
    expect(() => checkScopes([], all)).toThrow();
    expect(() => checkScopes(['all'], all)).toThrow(/no permission 'all'/);
    expect(checkScopes(['alerts:read', 'alerts:read'], all)).toEqual(['alerts:read']);
    expect([...presentScopes(['rules:approve', 'alerts:read', 'gone'], ['operations-manager'])]).toEqual([
      'alerts:read',
    ]);
  });
});

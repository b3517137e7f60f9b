import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CertificateMapping,
  certificatePrincipal,
  checkCertificateMappings,
  readClientCertificate,
  splitAlternativeNames,
} from './client-certificate.ts';
import {
  addressCounterKey,
  countAttempt,
  DEFAULT_LOCKOUT,
  type FailureCounter,
  isLocked,
  loginCounterKey,
  NO_FAILURES,
  takeBackAttempt,
} from './lockout.ts';
import { networkCheck } from './networks.ts';
import { type ClaimMapping, DEFAULT_CLAIMS, detailsOfClaims } from './provider-claims.ts';
import { DEFAULT_SESSIONS, isOver } from './sessions.ts';
import { checkUserDetails } from './user.ts';

const MINUTE_MS = 60_000;

describe('lockout', () => {
  it('costs nothing four times, then a minute, doubled each time up to an hour', () => {
    let counter = NO_FAILURES;
    let nowMs = 1_800_000_000_000;
    const minutes: number[] = [];
    for (let i = 0; i < 14; i++) {
      counter = countAttempt(counter, 'login', nowMs, DEFAULT_LOCKOUT);
      minutes.push(Math.max(0, counter.lockedUntilMs - nowMs) / MINUTE_MS);
      nowMs = Math.max(nowMs, counter.lockedUntilMs);
      expect(isLocked(counter, nowMs)).toBe(false);
    }
    expect(minutes).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
  });

  it('leaves whoever guesses less than thirty tries a day', () => {
    let counter = NO_FAILURES;
    let tries = 0;
    for (let nowMs = 0; nowMs < 86_400_000; nowMs += 1000) {
      if (isLocked(counter, nowMs)) continue;
      counter = countAttempt(counter, 'login', nowMs, DEFAULT_LOCKOUT);
      tries++;
    }
    expect(tries).toBeLessThan(36);
  });

  it('gives an address twenty, and forgets after a day without a failure', () => {
    let counter = NO_FAILURES;
    for (let i = 0; i < 19; i++) counter = countAttempt(counter, 'address', i, DEFAULT_LOCKOUT);
    expect(isLocked(counter, 20)).toBe(false);
    counter = countAttempt(counter, 'address', 20, DEFAULT_LOCKOUT);
    expect(isLocked(counter, 20)).toBe(true);
    expect(countAttempt(counter, 'address', 20 + DEFAULT_LOCKOUT.forgetMs, DEFAULT_LOCKOUT).failures).toBe(1);
  });

  it('takes one attempt back and no other, and never below none', () => {
    const events = fc.array(fc.boolean(), { maxLength: 60 });
    fc.assert(
      fc.property(events, (isTakenBack) => {
        let counter: FailureCounter = NO_FAILURES;
        let failures = 0;
        isTakenBack.forEach((isBack, at) => {
          counter = countAttempt(counter, 'login', at, DEFAULT_LOCKOUT);
          if (isBack) counter = takeBackAttempt(counter, 'login', DEFAULT_LOCKOUT);
          else failures++;
          expect(counter.failures).toBe(failures);
        });
      }),
    );
    expect(takeBackAttempt(NO_FAILURES, 'login', DEFAULT_LOCKOUT).failures).toBe(0);
  });

  it('counts an IPv6 network as one, and an IPv4 address in either writing', () => {
    const network = addressCounterKey('2001:db8:1:2::1');
    expect(addressCounterKey('2001:0DB8:0001:0002:ffff:ffff:ffff:ffff')).toBe(network);
    expect(addressCounterKey('2001:db8:1:3::1')).not.toBe(network);
    expect(addressCounterKey('::1')).toBe('address:0:0:0:0::/64');
    expect(addressCounterKey('::ffff:192.0.2.1')).toBe(addressCounterKey('192.0.2.1'));
    expect(addressCounterKey('fe80::1%eth0')).toBe('address:fe80:0:0:0::/64');
  });

  it('does not keep what was typed', () => {
    expect(loginCounterKey('una contraseña en el campo equivocado')).toMatch(/^login:[0-9a-f]{64}$/);
  });
});

describe('sessions', () => {
  it('end after half an hour without a request and half a day in all', () => {
    const over = (lastSeenMs: number, nowMs: number) =>
      isOver({ lastSeenMs, expiresMs: DEFAULT_SESSIONS.absoluteMs }, nowMs, DEFAULT_SESSIONS);
    expect(over(0, 30 * MINUTE_MS - 1)).toBe(false);
    expect(over(0, 30 * MINUTE_MS)).toBe(true);
    expect(over(12 * 60 * MINUTE_MS - 1, 12 * 60 * MINUTE_MS - 1)).toBe(false);
    expect(over(12 * 60 * MINUTE_MS - 1, 12 * 60 * MINUTE_MS)).toBe(true);
  });
});

describe('networks', () => {
  it('hold the addresses that they say', () => {
    const check = networkCheck(['10.20.0.0/16', '192.0.2.7', '2800:200::/32']);
    for (const address of ['10.20.255.1', '::ffff:10.20.0.1', '192.0.2.7', '2800:200:1::9'])
      expect(check(address)).toBe(true);
    for (const address of ['10.21.0.1', '192.0.2.8', '2800:201::1', '::ffff:10.21.0.1', '', 'x', '10.20.0.0/16']) {
      expect(check(address)).toBe(false);
    }
  });

  it('agree with arithmetic', () => {
    const ipv4 = fc.nat(0xffffffff);
    const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(ipv4, ipv4, fc.integer({ min: 1, max: 32 }), fc.nat(0xffff), (network, random, length, near) => {
        for (const address of [random, network ^ near]) {
          const isIn = network >>> (32 - length) === (address >>> 0) >>> (32 - length);
          expect(networkCheck([`${text(network)}/${length}`])(text(address))).toBe(isIn);
        }
      }),
    );
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/0',
    '::/0',
    '10.0.0/8',
    '10.0.0.0/8/8',
    'x',
    '',
    'fe80::1%1',
    '10.0.0.0/-1',
  ])('refuse %s', (network) => {
    expect(() => networkCheck([network])).toThrow(expect.objectContaining({ code: 'NETWORK_INVALID' }));
  });

  it('are fifty at most', () => {
    expect(() => networkCheck(Array(51).fill('10.0.0.0/8'))).toThrow(/50 at most/);
  });
});

describe('claims of an identity provider', () => {
  const mapping: ClaimMapping = {
    ...DEFAULT_CLAIMS,
    roles: { 'fraude-analistas': ['fraud-analyst'], 'fraude-jefes': ['operations-manager', 'fraud-analyst'] },
  };
  const details = (claims: Record<string, unknown>, changed: Partial<ClaimMapping> = {}) =>
    detailsOfClaims(
      { issuer: 'https://id.banco.example', subject: '1', claims: { preferred_username: 'Ana.R', ...claims } },
      { ...mapping, ...changed },
    );

  it('give the roles of the mapping and no others', () => {
    expect(
      details({ groups: ['fraude-jefes', 'fraude-analistas', 'administrator', '__proto__'], name: 'Ana R.' }),
    ).toEqual({
      ...{ login: 'ana.r', displayName: 'Ana R.', email: null, roles: ['operations-manager', 'fraud-analyst'] },
    });
    expect(details({ groups: 'fraude-analistas' }).roles).toEqual(['fraud-analyst']);
    for (const groups of [undefined, null, 7, {}, [['fraude-jefes']], { 0: 'fraude-jefes' }]) {
      expect(details({ groups }).roles).toEqual([]);
    }
  });

  it('are found by a path, or by a name with dots', () => {
    const rolesClaim = 'realm_access.roles';
    expect(details({ realm_access: { roles: ['fraude-analistas'] } }, { rolesClaim }).roles).toEqual(['fraud-analyst']);
    const other = 'https://banco.example/roles';
    expect(details({ [other]: ['fraude-analistas'] }, { rolesClaim: other }).roles).toEqual(['fraud-analyst']);
  });

  it('must say how the person was recognised where that is asked for', () => {
    const requiredMethods = ['mfa', 'hwk'];
    expect(details({ amr: ['pwd', 'mfa'] }, { requiredMethods }).login).toBe('ana.r');
    expect(() => details({ amr: ['pwd'] }, { requiredMethods })).toThrow(/second factor/);
    expect(() => details({}, { requiredMethods })).toThrow(
      expect.objectContaining({ code: 'PROVIDER_METHOD_MISSING' }),
    );
  });

  it('without a usable login are nobody', () => {
    for (const preferred_username of ['', 'ana<script>', 7, undefined, 'ä'.repeat(70)]) {
      expect(() => details({ preferred_username })).toThrow(
        expect.objectContaining({ code: 'PROVIDER_CLAIMS_INVALID' }),
      );
    }
  });
});

describe('client certificates', () => {
  const certificate = {
    ...{
      subject: { CN: 'switch', O: 'Banco' },
      alternativeNames: ['DNS:switch.banco.example', 'URI:spiffe://banco/switch'],
    },
    fingerprint: 'ab'.repeat(32),
    untilMs: Date.UTC(2027, 0, 1),
  };
  const entry = (match: CertificateMapping['match'], id = 'switch'): CertificateMapping => ({
    ...{ id, name: 'Switch', permissions: ['transactions:score'], match },
  });

  it('stand for the one entry whose every condition holds', () => {
    const match = {
      subject: { CN: 'switch' },
      alternativeName: 'URI:spiffe://banco/switch',
      fingerprint: 'AB:'.repeat(32).slice(0, -1),
    };
    expect(certificatePrincipal(certificate, [entry(match)])).toMatchObject({
      kind: 'api-key',
      id: 'certificate:switch',
    });
    for (const wrong of [
      { ...match, subject: { CN: 'Switch' } },
      { ...match, subject: { CN: 'switch', OU: 'x' } },
      { ...match, alternativeName: 'DNS:spiffe://banco/switch' },
      { ...match, fingerprint: 'cd'.repeat(32) },
    ]) {
      expect(certificatePrincipal(certificate, [entry(wrong)])).toBeNull();
    }
    expect(certificatePrincipal(certificate, [entry({ subject: { O: 'Banco' } }), entry(match, 'two')])).toBeNull();
  });

  it('are not read where TLS did not check them', () => {
    const peer = {
      subject: { CN: 'a', OU: ['x', 'y'] },
      fingerprint256: 'AB:CD',
      subjectaltname: 'DNS:a',
      valid_to: 'Jan  1 00:00:00 2027 GMT',
    };
    expect(readClientCertificate(false, peer as never)).toBeNull();
    expect(readClientCertificate(true, {} as never)).toBeNull();
    expect(readClientCertificate(true, peer as never)).toEqual({
      ...{ subject: { CN: 'a' }, alternativeNames: ['DNS:a'], fingerprint: 'abcd' },
      untilMs: Date.UTC(2027, 0, 1),
    });
  });

  it('cannot hide a name within a name', () => {
    expect(splitAlternativeNames('DNS:a.example, URI:"spiffe://x, DNS:b.example", IP Address:192.0.2.1')).toEqual([
      ...['DNS:a.example', 'URI:spiffe://x, DNS:b.example', 'IP Address:192.0.2.1'],
    ]);
    expect(splitAlternativeNames('URI:"x')).toEqual([]);
  });

  it('are not mapped by entries that fit all, or may what people do', () => {
    expect(() => checkCertificateMappings([entry({})])).toThrow(/fit every certificate/);
    expect(() => checkCertificateMappings([entry({ subject: {} })])).toThrow(/fit every certificate/);
    expect(() => checkCertificateMappings([entry({ subject: { CN: 'a' } }), entry({ subject: { CN: 'b' } })])).toThrow(
      /twice/,
    );
    const approving = { ...entry({ subject: { CN: 'a' } }), permissions: ['rules:approve' as const] };
    expect(() => checkCertificateMappings([approving])).toThrow(/Leave it to people/);
  });
});

describe('details of people', () => {
  const details = { login: ' Ana.Rojas ', displayName: ' Ana Rojas ', email: null, roles: ['auditor', 'auditor'] };

  it('are kept in one writing', () => {
    expect(checkUserDetails(details)).toEqual({
      login: 'ana.rojas',
      displayName: 'Ana Rojas',
      email: null,
      roles: ['auditor'],
    });
  });

  it.each([
    ...[{ login: 'a' }, { login: 'ana rojas' }, { login: '.ana' }, { login: 'ana\u0000' }, { login: 'а'.repeat(3) }],
    ...[{ displayName: '' }, { displayName: 'x'.repeat(101) }, { displayName: 'a\u202eb' }, { email: 'ana' }],
    ...[{ email: 'a@b.c\r\nBcc: x@y.z' }, { roles: ['root'] }],
  ])('are refused: %j', (wrong) => {
    expect(() => checkUserDetails({ ...details, ...wrong })).toThrow(expect.objectContaining({ code: 'USER_INVALID' }));
  });
});

import { expect, it } from 'vitest';
import { hashSecret } from '../../src/identity/tokens.ts';
import { hotp, totpStep } from '../../src/identity/totp.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { ADDRESS, openIdentity, PASSWORD, refusal, VISITOR } from './open-identity.ts';

const MINUTE_MS = 60_000;
const WRONG = 'no es esta frase';

/** RFC 4648, as an app reads it. */
function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Uint8Array.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

describeOnEachEngine('logging in', (open) => {
  it('says the same of a wrong password, nobody, whoever is disabled or invited, and what is no login', async () => {
    const { identity, administrator, person, logIn, audit } = openIdentity(await open());
    const { actor } = await administrator();
    await person('ana', ['auditor']);
    const gone = await person('gone', ['auditor']);
    await identity.changeUser(actor, gone, { state: 'disabled' });
    await identity.createUser(actor, { login: 'nueva', displayName: 'Nueva', email: null, roles: ['auditor'] });
    const odd = ['nobody', 'nueva', '', '\u0000', "ana' OR '1'='1", 'a'.repeat(100_000), '\ud800'];
    const results = [
      await logIn('ana', { password: WRONG, address: null }),
      await logIn('gone', { address: null }),
      ...(await Promise.all(odd.map((login) => logIn(login, { address: null })))),
      await logIn('ana', { password: '', address: null }),
      await logIn('ana', { password: PASSWORD.repeat(5000), address: null }),
    ];
    for (const result of results) expect(result).toEqual({ kind: 'refused', code: 'LOGIN_REFUSED' });
    const refused = audit.filter(({ action }) => action === 'user.log-in-refused');
    expect(refused).toHaveLength(results.length);
    const reasons = refused.map(({ detail }) => detail.reason);
    expect(reasons.slice(0, 2)).toEqual(['password-wrong', 'user-disabled']);
    // Those that came at the same time are in any order.
    expect(reasons.slice(2)).toContain('login-unknown');
    expect(JSON.stringify(refused)).not.toContain('nobody');
  });

  it('works as hard for nobody as for somebody', async () => {
    const { person, another } = openIdentity(await open());
    await person('ana', ['auditor']);
    const cost = { memoryKib: 65_536, passes: 3, lanes: 1 };
    const identity = another({ passwords: { cost, mostAtOnce: 1, mostWaiting: 1 } });
    const request = { ...VISITOR, code: null, previousToken: null, password: WRONG };
    // Her hash is made anew first, as it is for everybody at the next log-in after the cost rose.
    await identity.login({ ...request, login: 'ana', password: PASSWORD });
    const workOf = async (login: string, i: number) => {
      const before = process.cpuUsage();
      await identity.login({ ...request, login, address: `192.0.2.${i}` });
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // The processor's time: what else runs on the machine makes no difference to it.
    const least = async (login: string) =>
      Math.min(await workOf(login, 1), await workOf(login, 2), await workOf(login, 3), await workOf(login, 4));
    const [somebody, nobody] = [await least('ana'), await least('nobody')];
    expect(nobody).toBeGreaterThan(somebody / 2);
    expect(nobody).toBeLessThan(somebody * 2);
  });

  it('is locked by failures, of somebody and of nobody alike, and writes down when', async () => {
    const { person, logIn, clock, audit } = openIdentity(await open());
    await person('ana', ['auditor']);
    for (const login of ['ana', 'nobody']) {
      for (let i = 0; i < 5; i++) expect((await logIn(login, { password: WRONG, address: null })).kind).toBe('refused');
      const untilMs = clock.nowMs + MINUTE_MS;
      for (let i = 0; i < 3; i++) {
        expect(await logIn(login, { address: null })).toEqual({ kind: 'locked', code: 'LOCKED_UNTIL', untilMs });
      }
      expect(audit.at(-1)).toMatchObject({ action: 'user.locked', detail: { locks: ['login'] } });
    }
    expect(audit.filter(({ action }) => action === 'user.locked')).toHaveLength(2);
    clock.nowMs += MINUTE_MS;
    expect((await logIn('ana', { password: WRONG, address: null })).kind).toBe('refused');
    expect(await logIn('ana', { address: null })).toMatchObject({
      kind: 'locked',
      untilMs: clock.nowMs + 2 * MINUTE_MS,
    });
    clock.nowMs += 2 * MINUTE_MS;
    expect((await logIn('ana', { address: null })).kind).toBe('signed-in');
    for (let i = 0; i < 4; i++) expect((await logIn('ana', { password: WRONG, address: null })).kind).toBe('refused');
    expect((await logIn('ana', { address: null })).kind).toBe('signed-in');
  });

  it('gives a hundred guesses at the same time no more than one after the other', async () => {
    const { person, logIn, another } = openIdentity(await open());
    await person('ana', ['auditor']);
    const other = another();
    const request = { ...VISITOR, login: 'ana', password: WRONG, code: null, previousToken: null, address: null };
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? logIn('ana', request) : other.login(request))),
    );
    const count = (kind: string) => results.filter((result) => result.kind === kind).length;
    expect([count('refused'), count('locked')]).toEqual([5, 35]);
  });

  it('locks an address that tries one login after the other, and no other address', async () => {
    const { person, logIn, clock, audit } = openIdentity(await open());
    await person('ana', ['auditor']);
    for (let i = 0; i < 20; i++) {
      expect((await logIn(`user${i}`, { password: WRONG, address: `2001:db8::${i}` })).kind).toBe('refused');
    }
    expect(audit.at(-1)).toMatchObject({ action: 'user.locked', detail: { locks: ['address'] } });
    expect(await logIn('ana', { address: '2001:db8::ffff' })).toMatchObject({
      kind: 'locked',
      untilMs: clock.nowMs + MINUTE_MS,
    });
    expect((await logIn('ana', { address: '2001:db8:0:1::1' })).kind).toBe('signed-in');
  });

  it('with an own account now and then does not help an address to guess others', async () => {
    const { person, logIn } = openIdentity(await open());
    await person('own', ['auditor']);
    const address = '192.0.2.99';
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      if ((await logIn('own', { address })).kind === 'locked') break;
      if ((await logIn(`user${i}`, { password: WRONG, address })).kind === 'refused') refused++;
    }
    expect(refused).toBe(20);
  });

  it('is unlocked by an administrator', async () => {
    const { identity, administrator, person, logIn } = openIdentity(await open());
    const { actor } = await administrator();
    const ana = await person('ana', ['auditor']);
    for (let i = 0; i < 6; i++) await logIn('ana', { password: WRONG, address: null });
    expect((await logIn('ana', { address: null })).kind).toBe('locked');
    await identity.unlockUser(actor, ana.id);
    expect((await logIn('ana', { address: null })).kind).toBe('signed-in');
  });

  it('remembers so many failures and no more: those who failed least are forgotten', async () => {
    const { store, logIn, identity, another } = openIdentity(await open());
    const lockout = { loginFailures: 5, addressFailures: 20, firstDelayMs: 60_000, mostDelayMs: 3_600_000 };
    const small = another({ lockout: { ...lockout, forgetMs: 86_400_000, mostCounters: 10 } });
    for (let i = 0; i < 6; i++) await logIn('victim', { password: WRONG, address: null });
    for (let i = 0; i < 30; i++) await logIn(`user${i}`, { password: WRONG, address: null });
    await small.sweep();
    const rows = await store.db.selectFrom('login_failures').selectAll().execute();
    expect(rows).toHaveLength(10);
    expect(Math.max(...rows.map(({ failures }) => failures))).toBe(5);
    expect((await logIn('victim', { address: null })).kind).toBe('locked');
    await identity.sweep();
  });

  it('fails for whoever is disabled, or gets another password, while the password is being checked', async () => {
    const { identity, administrator, person, another, store } = openIdentity(await open());
    const { actor } = await administrator();
    const ana = await person('ana', ['auditor']);
    const cost = { memoryKib: 65_536, passes: 4, lanes: 1 };
    const slow = another({ passwords: { cost, mostAtOnce: 1, mostWaiting: 4 } });
    const request = { ...VISITOR, login: 'ana', password: PASSWORD, code: null, previousToken: null };
    const link = await identity.invite(actor, ana.id);
    const first = slow.login(request);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await identity.acceptInvitation({ token: link.token, password: 'nueve barcos sin capitan', address: null });
    expect((await first).kind).toBe('refused');
    const { id, version } = await identity.findUser(actor, ana.id);
    const second = slow.login({ ...request, password: 'nueve barcos sin capitan' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await identity.changeUser(actor, { id, version }, { state: 'disabled' });
    expect((await second).kind).toBe('refused');
    const sessions = await store.db.selectFrom('sessions').select('id').where('user_id', '=', ana.id).execute();
    expect(sessions).toEqual([]);
  });

  it('is turned away, not counted, where too many are at it', async () => {
    const { person, another, store } = openIdentity(await open());
    await person('ana', ['auditor']);
    const narrow = another({
      passwords: { cost: { memoryKib: 1024, passes: 1, lanes: 1 }, mostAtOnce: 1, mostWaiting: 1 },
    });
    const request = { ...VISITOR, login: 'ana', password: WRONG, code: null, previousToken: null, address: null };
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => narrow.login(request)));
    const refused = results.filter(({ status }) => status === 'fulfilled').length;
    const [row] = await store.db.selectFrom('login_failures').selectAll().where('failures', '>', 0).execute();
    expect(row?.failures ?? 0).toBe(refused);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'IDENTITY_BUSY' });
    }
  });
});

describeOnEachEngine('one-time codes', (open) => {
  async function withTotp() {
    const opened = openIdentity(await open());
    await opened.person('ana', ['fraud-analyst']);
    const first = await opened.enter('ana');
    const { secret, uri } = await opened.identity.enrolTotp(first);
    expect(uri).toContain(`secret=${secret}`);
    const code = (steps = 0) => hotp(fromBase32(secret), totpStep(opened.clock.nowMs) + steps);
    const confirmed = await opened.identity.confirmTotp(first, code(), VISITOR);
    opened.clock.nowMs += 10 * MINUTE_MS;
    return { ...opened, first, secret, code, ...confirmed };
  }

  it('are on once one was right, and the session gets another token', async () => {
    const { identity, person, enter, clock } = openIdentity(await open());
    await person('ana', ['fraud-analyst']);
    const first = await enter('ana');
    await expect(identity.confirmTotp(first, '000000', VISITOR)).rejects.toEqual(refusal('TOTP_NOT_PENDING'));
    const { secret } = await identity.enrolTotp(first);
    const right = hotp(fromBase32(secret), totpStep(clock.nowMs));
    const wrong = String((Number(right) + 1) % 1_000_000).padStart(6, '0');
    await expect(identity.confirmTotp(first, wrong, VISITOR)).rejects.toEqual(refusal('TOTP_WRONG'));
    // Not confirmed: the door does not ask for it yet.
    expect((await enter('ana')).user.totpState).toBe('pending');
    const { session, recoveryCodes } = await identity.confirmTotp(first, right, VISITOR);
    expect(session.user.totpState).toBe('on');
    expect(recoveryCodes).toHaveLength(10);
    expect(await identity.principalOfSession(first.token)).toBeNull();
    expect(await identity.principalOfSession(session.token)).not.toBeNull();
    await expect(identity.enrolTotp(session)).rejects.toEqual(refusal('TOTP_ALREADY_ON'));
  });

  it('are asked for after the right password alone, and kept sealed', async () => {
    const { logIn, code, store, secret } = await withTotp();
    expect(await logIn('ana')).toEqual({ kind: 'totp-required', code: 'TOTP_REQUIRED' });
    expect((await logIn('ana', { password: WRONG })).kind).toBe('refused');
    expect((await logIn('ana', { code: code() })).kind).toBe('signed-in');
    const { totp_secret } = await store.db
      .selectFrom('users')
      .select('totp_secret')
      .where('login', '=', 'ana')
      .executeTakeFirstOrThrow();
    const raw = Buffer.from(fromBase32(secret));
    expect(Buffer.from(totp_secret!).includes(raw)).toBe(false);
  });

  it('count once: of log-ins with the same one at the same time one wins', async () => {
    const { logIn, code, another } = await withTotp();
    const other = another();
    const request = { ...VISITOR, login: 'ana', password: PASSWORD, code: code(), previousToken: null, address: null };
    const results = await Promise.all(
      [0, 1, 2, 3].map((i) => (i % 2 === 0 ? logIn('ana', request) : other.login(request))),
    );
    expect(results.map(({ kind }) => kind).sort()).toEqual(['refused', 'refused', 'refused', 'signed-in']);
    expect((await logIn('ana', { code: code() })).kind).toBe('refused');
    expect((await logIn('ana', { code: code(-1) })).kind).toBe('refused');
  });

  it('cannot be guessed by whoever knows the password, not even with the password in between', async () => {
    const { logIn } = await withTotp();
    let guesses = 0;
    for (let i = 0; i < 20; i++) {
      if ((await logIn('ana', { code: String(i).padStart(6, '0') })).kind === 'refused') guesses++;
      const between = (await logIn('ana')).kind;
      expect(['totp-required', 'locked']).toContain(between);
    }
    expect(guesses).toBe(5);
  });

  it('may be replaced by a recovery code, each for once, of the person alone', async () => {
    const { logIn, recoveryCodes, person, store } = await withTotp();
    const [one, two] = recoveryCodes;
    const both = await Promise.all([logIn('ana', { code: one }), logIn('ana', { code: one })]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['refused', 'signed-in']);
    expect((await logIn('ana', { code: two.toUpperCase().replaceAll('-', '') })).kind).toBe('signed-in');
    expect((await logIn('ana', { code: 'aaaa-bbbb-cccc-dddd' })).kind).toBe('refused');
    await person('luis', ['auditor']);
    const kept = await store.db.selectFrom('user_recovery_codes').selectAll().execute();
    expect(kept).toHaveLength(10);
    expect(kept.some(({ code_hash }) => Buffer.compare(code_hash, hashSecret(one)) === 0)).toBe(false);
  });

  it('are taken off with password and code, and new recovery codes void the old', async () => {
    const { identity, session, code, recoveryCodes, clock, logIn } = await withTotp();
    const renewed = await identity.renewRecoveryCodes(session, { password: PASSWORD, code: code() }, ADDRESS);
    expect((await logIn('ana', { code: recoveryCodes[3] })).kind).toBe('refused');
    clock.nowMs += MINUTE_MS;
    const wrong = identity.disableTotp(session, { password: WRONG, code: code() }, VISITOR);
    await expect(wrong).rejects.toEqual(refusal('PASSWORD_WRONG'));
    const without = identity.disableTotp(session, { password: PASSWORD, code: '' }, VISITOR);
    await expect(without).rejects.toEqual(refusal('TOTP_WRONG'));
    await identity.disableTotp(session, { password: PASSWORD, code: renewed[0] }, VISITOR);
    expect((await logIn('ana')).kind).toBe('signed-in');
  });

  it('leave whoever must have them without any permission until they do', async () => {
    const { identity, administrator, person, enter, another, clock } = openIdentity(await open());
    await administrator();
    await person('ana', ['fraud-analyst']);
    const strict = another({ totpRequiredFor: ['fraud-analyst'] });
    const session = await enter('ana');
    const found = await strict.principalOfSession(session.token);
    expect(found).toMatchObject({ mustEnrolTotp: true });
    expect(found!.principal.permissions.size).toBe(0);
    const { secret } = await strict.enrolTotp(found!);
    const done = await strict.confirmTotp(found!, hotp(fromBase32(secret), totpStep(clock.nowMs)), VISITOR);
    expect(done.session.mustEnrolTotp).toBe(false);
    expect(done.session.principal.permissions.has('alerts:work')).toBe(true);
    const off = strict.disableTotp(done.session, { password: PASSWORD, code: done.recoveryCodes[0] }, VISITOR);
    await expect(off).rejects.toEqual(refusal('TOTP_REQUIRED_BY_ROLE'));
    expect(identity).toBeDefined();
  });

  it('are reset by an administrator, not by oneself', async () => {
    const { identity, administrator, logIn, session } = await withTotp();
    const { actor, user } = await administrator();
    await identity.resetTotp(actor, session.user.id);
    expect(await identity.principalOfSession(session.token)).toBeNull();
    expect((await logIn('ana')).kind).toBe('signed-in');
    await expect(identity.resetTotp(actor, user.id)).rejects.toEqual(refusal('OWN_ACCOUNT'));
  });
});

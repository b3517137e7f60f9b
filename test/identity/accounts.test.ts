import { expect, it } from 'vitest';
import { SYSTEM } from '../../src/identity/principal.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { ADDRESS, openIdentity, PASSWORD, refusal, START_MS, VISITOR } from './open-identity.ts';

const HOUR_MS = 3_600_000;
const FIRST = { login: 'admin.uno', displayName: 'Rosa Uno', email: null, password: PASSWORD, address: ADDRESS };

describeOnEachEngine('the first administrator', (open) => {
  it('is made by whoever holds the setup link, once', async () => {
    const { identity, audit } = openIdentity(await open());
    expect(await identity.needsSetup()).toBe(true);
    const { token, expiresMs } = await identity.createSetupLink();
    expect(expiresMs).toBe(START_MS + 24 * HOUR_MS);
    const user = await identity.setup({ ...FIRST, token });
    expect(user).toMatchObject({ login: 'admin.uno', roles: ['administrator'], state: 'active', version: 1 });
    expect(await identity.needsSetup()).toBe(false);
    await expect(identity.setup({ ...FIRST, token, login: 'admin.dos' })).rejects.toEqual(refusal('LINK_INVALID'));
    await expect(identity.createSetupLink()).rejects.toEqual(refusal('SETUP_DONE'));
    expect(audit.map(({ action }) => action)).toEqual(['setup.link-made', 'setup.done']);
    expect(JSON.stringify(audit)).not.toContain(token);
  });

  it('is not made with a link that is over, replaced, guessed or of another kind, nor with a weak password', async () => {
    const { identity, clock, store } = openIdentity(await open());
    const first = await identity.createSetupLink();
    const { token } = await identity.createSetupLink();
    const wrong = [
      first.token,
      '',
      'x',
      'A'.repeat(43),
      `${token}A`,
      `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`,
    ];
    for (const each of wrong) {
      await expect(identity.setup({ ...FIRST, token: each })).rejects.toEqual(refusal('LINK_INVALID'));
    }
    await expect(identity.setup({ ...FIRST, token, password: 'Centinela2026!' })).rejects.toEqual(
      refusal('PASSWORD_IS_NAME'),
    );
    const { rows } = { rows: await store.db.selectFrom('user_tokens').selectAll().execute() };
    expect(rows).toHaveLength(1);
    expect(Buffer.from(rows[0].token_hash).toString('base64url')).not.toBe(token);
    clock.nowMs += 24 * HOUR_MS;
    await expect(identity.setup({ ...FIRST, token })).rejects.toEqual(refusal('LINK_INVALID'));
  });

  it('is one, though two come at the same time', async () => {
    const { identity } = openIdentity(await open());
    const { token } = await identity.createSetupLink();
    const both = await Promise.allSettled(
      ['admin.uno', 'admin.dos'].map((login) => identity.setup({ ...FIRST, token, login })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describeOnEachEngine('accounts', (open) => {
  it('are made by invitation, whose holder chooses the password', async () => {
    const { identity, administrator, logIn, audit } = openIdentity(await open());
    const { actor } = await administrator();
    const details = {
      login: 'Ana.Rojas',
      displayName: 'Ana Rojas',
      email: 'ana@banco.example',
      roles: ['fraud-analyst'],
    };
    const { user, invitation } = await identity.createUser(actor, details);
    expect(user).toMatchObject({ login: 'ana.rojas', hasPassword: false });
    expect((await logIn('ana.rojas')).kind).toBe('refused');
    expect(await identity.linkOwner(invitation.token)).toEqual({
      ...{ kind: 'invitation', login: 'ana.rojas', displayName: 'Ana Rojas' },
    });
    const given = { token: invitation.token, address: ADDRESS };
    await expect(identity.acceptInvitation({ ...given, password: 'anarojas-2026-x' })).rejects.toEqual(
      refusal('PASSWORD_IS_NAME'),
    );
    const results = await Promise.allSettled(
      [1, 2].map(() => identity.acceptInvitation({ ...given, password: PASSWORD })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(identity.linkOwner(invitation.token)).rejects.toEqual(refusal('LINK_INVALID'));
    expect(await logIn('ANA.ROJAS')).toMatchObject({ kind: 'signed-in', session: { user: { hasPassword: true } } });
    expect(audit.map(({ action }) => action)).toContain('user.invitation-accepted');
    expect(JSON.stringify(audit)).not.toContain('ana@banco.example');
  });

  it('are made and changed by those who may, and no others', async () => {
    const { identity, person, enter } = openIdentity(await open());
    const ana = await person('ana', ['operations-manager', 'auditor']);
    const { principal } = await enter('ana');
    for (const actor of [
      { principal, address: null },
      { principal: SYSTEM, address: null },
    ]) {
      const details = { login: 'otro', displayName: 'Otro', email: null, roles: ['auditor'] };
      await expect(identity.createUser(actor, details)).rejects.toEqual(refusal('FORBIDDEN'));
      await expect(identity.changeUser(actor, ana, { roles: ['administrator'] })).rejects.toEqual(refusal('FORBIDDEN'));
      await expect(identity.invite(actor, ana.id)).rejects.toEqual(refusal('FORBIDDEN'));
      await expect(identity.unlockUser(actor, ana.id)).rejects.toEqual(refusal('FORBIDDEN'));
      await expect(identity.resetTotp(actor, ana.id)).rejects.toEqual(refusal('FORBIDDEN'));
      await expect(
        identity.createKey(actor, { name: 'x', scopes: ['alerts:read'], networks: [], expiresMs: START_MS + 1 }),
      ).rejects.toEqual(refusal('FORBIDDEN'));
    }
    await expect(identity.listUsers({ principal: SYSTEM, address: null }, null, 10)).rejects.toEqual(
      refusal('FORBIDDEN'),
    );
  });

  it('have a login each', async () => {
    const { identity, administrator, person } = openIdentity(await open());
    const { actor } = await administrator();
    await person('ana', ['auditor']);
    const again = { login: 'ANA', displayName: 'Otra Ana', email: null, roles: ['auditor'] };
    await expect(identity.createUser(actor, again)).rejects.toEqual(refusal('LOGIN_TAKEN'));
  });

  it('change one after the other: who looked at an older one is told', async () => {
    const { identity, administrator, person } = openIdentity(await open());
    const { actor } = await administrator();
    const ana = await person('ana', ['fraud-analyst']);
    const changed = await identity.changeUser(actor, ana, { displayName: 'Ana María' });
    expect(changed).toMatchObject({ displayName: 'Ana María', version: ana.version + 1 });
    await expect(identity.changeUser(actor, ana, { email: 'a@b.example' })).rejects.toEqual(
      refusal('VERSION_CONFLICT'),
    );
    const both = await Promise.allSettled(
      ['a@b.example', 'c@d.example'].map((email) => identity.changeUser(actor, changed, { email })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'VERSION_CONFLICT' } });
  });

  it('lose their sessions and links with their roles or when they are disabled, and not with their name', async () => {
    const { identity, administrator, person, enter, logIn } = openIdentity(await open());
    const { actor } = await administrator();
    let ana = await person('ana', ['fraud-analyst']);
    const { token } = await enter('ana');
    ana = await identity.changeUser(actor, ana, { displayName: 'Ana María' });
    expect(await identity.principalOfSession(token)).toMatchObject({ user: { displayName: 'Ana María' } });
    ana = await identity.changeUser(actor, ana, { roles: ['auditor'] });
    expect(await identity.principalOfSession(token)).toBeNull();
    const second = await enter('ana');
    const link = await identity.invite(actor, ana.id);
    expect(link.kind).toBe('password-reset');
    await identity.changeUser(actor, { id: ana.id, version: ana.version }, { state: 'disabled' });
    expect(await identity.principalOfSession(second.token)).toBeNull();
    await expect(identity.linkOwner(link.token)).rejects.toEqual(refusal('LINK_INVALID'));
    expect((await logIn('ana')).kind).toBe('refused');
    await expect(identity.invite(actor, ana.id)).rejects.toEqual(refusal('USER_DISABLED'));
  });

  it('always leave an administrator, who does not change their own roles', async () => {
    const { identity, administrator, person, enter } = openIdentity(await open());
    const { user: first, actor } = await administrator();
    for (const changes of [
      { roles: ['auditor'] },
      { state: 'disabled' as const },
      { roles: ['administrator', 'auditor'] },
    ]) {
      await expect(identity.changeUser(actor, first, changes)).rejects.toEqual(refusal('OWN_ACCOUNT'));
    }
    const second = await person('admin.dos', ['administrator']);
    const other = { principal: (await enter('admin.dos')).principal, address: null };
    await identity.changeUser(actor, second, { state: 'disabled' });
    // What the other one was sees itself as administrator still; the last one stays.
    await expect(identity.changeUser(other, first, { state: 'disabled' })).rejects.toEqual(
      refusal('LAST_ADMINISTRATOR'),
    );
    await expect(identity.changeUser(other, first, { roles: [] })).rejects.toEqual(refusal('LAST_ADMINISTRATOR'));
  });

  it('leave one, though two take the role from each other at the same time', async () => {
    const { identity, administrator, person, enter } = openIdentity(await open());
    const { user: first, actor } = await administrator();
    const second = await person('admin.dos', ['administrator']);
    const other = { principal: (await enter('admin.dos')).principal, address: null };
    const both = await Promise.allSettled([
      identity.changeUser(actor, second, { state: 'disabled' }),
      identity.changeUser(other, first, { state: 'disabled' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await identity.needsSetup()).toBe(false);
  });

  it('are listed page by page, each once', async () => {
    const { identity, administrator } = openIdentity(await open());
    const { actor } = await administrator();
    for (let i = 0; i < 7; i++) {
      await identity.createUser(actor, {
        login: `persona${i}`,
        displayName: 'Persona',
        email: null,
        roles: ['auditor'],
      });
    }
    const logins: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof identity.listUsers>> = await identity.listUsers(actor, after, 3);
      logins.push(...page.users.map(({ login }) => login));
      after = page.next;
    } while (after !== null);
    expect(logins).toEqual(['admin.uno', ...Array.from({ length: 7 }, (_, i) => `persona${i}`)]);
    await expect(identity.listUsers(actor, "' OR 1=1", 3)).rejects.toEqual(refusal('CURSOR_INVALID'));
    for (const id of ['', 'x', '\u0000', 'f'.repeat(32)]) {
      await expect(identity.findUser(actor, id)).rejects.toEqual(refusal('USER_UNKNOWN'));
    }
  });
});

describeOnEachEngine('passwords', (open) => {
  it('are changed with the present one: other sessions end, this one gets another token', async () => {
    const { identity, person, enter, logIn } = openIdentity(await open());
    await person('ana', ['fraud-analyst']);
    const [other, own] = [await enter('ana'), await enter('ana')];
    const next = 'nueve barcos sin capitan';
    await expect(identity.changePassword(own, { present: 'no es esta frase', next }, VISITOR)).rejects.toEqual(
      refusal('PASSWORD_WRONG'),
    );
    await expect(identity.changePassword(own, { present: PASSWORD, next: 'corta' }, VISITOR)).rejects.toEqual(
      refusal('PASSWORD_TOO_SHORT'),
    );
    const renewed = await identity.changePassword(own, { present: PASSWORD, next }, VISITOR);
    expect(renewed.session.expiresMs).toBe(own.session.expiresMs);
    expect(renewed.csrfToken).not.toBe(own.csrfToken);
    for (const { token } of [other, own]) expect(await identity.principalOfSession(token)).toBeNull();
    expect(await identity.principalOfSession(renewed.token)).toMatchObject({ user: { login: 'ana' } });
    expect((await logIn('ana')).kind).toBe('refused');
    expect((await logIn('ana', { password: next })).kind).toBe('signed-in');
  });

  it('cannot be guessed with an open session', async () => {
    const { identity, person, enter, audit, clock } = openIdentity(await open());
    await person('ana', ['fraud-analyst']);
    const own = await enter('ana');
    const guess = () =>
      identity.changePassword(own, { present: 'no es esta frase', next: 'nueve barcos sin capitan' }, VISITOR);
    for (let i = 0; i < 5; i++) await expect(guess()).rejects.toEqual(refusal('PASSWORD_WRONG'));
    await expect(guess()).rejects.toMatchObject({ code: 'LOCKED_UNTIL', untilMs: clock.nowMs + 60_000 });
    expect(audit.filter(({ action }) => action === 'user.own-password-wrong')).toHaveLength(5);
  });

  it('are reset with a link: sessions end, and the lock with them', async () => {
    const { identity, administrator, person, enter, logIn } = openIdentity(await open());
    const { actor } = await administrator();
    const ana = await person('ana', ['fraud-analyst']);
    const { token } = await enter('ana');
    for (let i = 0; i < 6; i++) await logIn('ana', { password: 'no es esta frase', address: null });
    expect((await logIn('ana')).kind).toBe('locked');
    const link = await identity.invite(actor, ana.id);
    const next = 'nueve barcos sin capitan';
    await identity.acceptInvitation({ token: link.token, password: next, address: ADDRESS });
    expect(await identity.principalOfSession(token)).toBeNull();
    expect((await logIn('ana', { password: next })).kind).toBe('signed-in');
  });

  it('are hashed anew at the next log-in once the cost rises', async () => {
    const { identity, store, person, logIn, another } = openIdentity(await open());
    const ana = await person('ana', ['fraud-analyst']);
    const hash = async () =>
      (await store.db.selectFrom('users').select('password_hash').where('id', '=', ana.id).executeTakeFirstOrThrow())
        .password_hash;
    expect(await hash()).toContain('$m=64,t=1,p=1$');
    const dearer = another({
      passwords: { cost: { memoryKib: 128, passes: 2, lanes: 1 }, mostAtOnce: 2, mostWaiting: 9 },
    });
    const request = { ...VISITOR, login: 'ana', code: null, previousToken: null };
    expect((await dearer.login({ ...request, password: 'no es esta frase' })).kind).toBe('refused');
    expect(await hash()).toContain('$m=64,t=1,p=1$');
    expect((await dearer.login({ ...request, password: PASSWORD })).kind).toBe('signed-in');
    expect(await hash()).toContain('$m=128,t=2,p=1$');
    expect((await logIn('ana')).kind).toBe('signed-in');
    expect(identity).toBeDefined();
  });
});

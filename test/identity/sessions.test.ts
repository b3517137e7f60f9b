import { expect, it } from 'vitest';
import { InputError } from '../../src/lib/errors.ts';
import { appendAudit } from '../../src/records/audit/append.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { ADDRESS, openIdentity, PASSWORD, refusal } from './open-identity.ts';

const MINUTE_MS = 60_000;

describeOnEachEngine('sessions', (open) => {
  it('are known by a token that is not kept, and by no other', async () => {
    const { identity, person, enter, store } = openIdentity(await open());
    await person('ana', ['fraud-analyst']);
    const { token, session } = await enter('ana');
    const found = await identity.principalOfSession(token);
    expect(found).toMatchObject({ user: { login: 'ana' }, session: { address: ADDRESS, userAgent: 'Prueba/1.0' } });
    expect(found!.principal.permissions.has('alerts:work')).toBe(true);
    const changed = `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`;
    for (const wrong of [
      '',
      'x',
      changed,
      `${token}=`,
      session.id,
      "' OR 1=1 --",
      '\u0000'.repeat(43),
      token.toUpperCase(),
    ]) {
      expect(await identity.principalOfSession(wrong)).toBeNull();
    }
    const kept = JSON.stringify(await store.db.selectFrom('sessions').selectAll().execute());
    expect(kept).not.toContain(token);
  });

  it('have a token against forged requests of their own', async () => {
    const { identity, person, enter } = openIdentity(await open());
    await person('ana', ['auditor']);
    const [a, b] = [await enter('ana'), await enter('ana')];
    expect(identity.isCsrfToken(a.csrfToken, a.token, a)).toBe(true);
    expect(identity.isCsrfToken((await identity.principalOfSession(a.token))!.csrfToken, a.token, a)).toBe(true);
    expect(identity.isCsrfToken(a.csrfToken, b.token, b)).toBe(false);
    expect(identity.isCsrfToken(a.csrfToken, a.token, b)).toBe(false);
    expect(identity.isCsrfToken('', a.token, a)).toBe(false);
  });

  it('end half an hour after the last request, and half a day after they began', async () => {
    const { identity, person, enter, clock } = openIdentity(await open());
    await person('ana', ['auditor']);
    const idle = await enter('ana');
    const busy = await enter('ana');
    for (let minutes = 0; minutes < 12 * 60; minutes += 20) {
      expect(await identity.principalOfSession(busy.token)).not.toBeNull();
      clock.nowMs += 20 * MINUTE_MS;
      if (minutes === 40) expect(await identity.principalOfSession(idle.token)).toBeNull();
    }
    expect(await identity.principalOfSession(busy.token)).toBeNull();
  });

  it('write that they were used once a minute at most', async () => {
    const { identity, person, enter, clock, store } = openIdentity(await open());
    await person('ana', ['auditor']);
    const { token, session } = await enter('ana');
    const seen = async () =>
      (
        await store.db
          .selectFrom('sessions')
          .select('last_seen_ms')
          .where('id', '=', session.id)
          .executeTakeFirstOrThrow()
      ).last_seen_ms;
    const startMs = clock.nowMs;
    clock.nowMs += 59_000;
    await identity.principalOfSession(token);
    expect(await seen()).toBe(startMs);
    clock.nowMs += 1000;
    await Promise.all([1, 2, 3].map(() => identity.principalOfSession(token)));
    expect(await seen()).toBe(clock.nowMs);
  });

  it('are ten a person: the one that was idle for longest ends', async () => {
    const { identity, person, enter, clock } = openIdentity(await open());
    const ana = await person('ana', ['auditor']);
    const tokens: string[] = [];
    for (let i = 0; i < 12; i++) {
      clock.nowMs += 1000;
      tokens.push((await enter('ana')).token);
    }
    const alive = await Promise.all(tokens.map((token) => identity.principalOfSession(token)));
    expect(alive.map((found) => found !== null)).toEqual([false, false, ...Array(10).fill(true)]);
    const actor = { principal: alive.at(-1)!.principal, address: null };
    expect(await identity.listSessions(actor, ana.id)).toHaveLength(10);
  });

  it('of a browser end when it logs in again, or out', async () => {
    const { identity, person, enter } = openIdentity(await open());
    await person('ana', ['auditor']);
    const first = await enter('ana');
    const second = await enter('ana', { previousToken: first.token });
    expect(await identity.principalOfSession(first.token)).toBeNull();
    await Promise.all([identity.logout(second.token, ADDRESS), identity.logout(second.token, ADDRESS)]);
    expect(await identity.principalOfSession(second.token)).toBeNull();
    await identity.logout('x', null);
  });

  it('are ended by their person or an administrator, and nobody else learns that they exist', async () => {
    const { identity, administrator, person, enter } = openIdentity(await open());
    const { actor } = await administrator();
    const ana = await person('ana', ['auditor']);
    await person('luis', ['data-analyst']);
    const [one, two, three] = [await enter('ana'), await enter('ana'), await enter('ana')];
    const luis = { principal: (await enter('luis')).principal, address: null };
    const own = { principal: one.principal, address: null };
    for (const id of [two.session.id, 'f'.repeat(32), '', '\u0000']) {
      await expect(identity.endSession(luis, id)).rejects.toEqual(refusal('SESSION_UNKNOWN'));
    }
    await expect(identity.endSessions(luis, ana.id)).rejects.toEqual(refusal('FORBIDDEN'));
    await expect(identity.listSessions(luis, ana.id)).rejects.toEqual(refusal('FORBIDDEN'));
    await identity.endSession(own, two.session.id);
    expect(await identity.principalOfSession(two.token)).toBeNull();
    expect(await identity.principalOfSession(three.token)).not.toBeNull();
    expect(await identity.endSessions(actor, ana.id)).toBe(2);
    expect(await identity.principalOfSession(one.token)).toBeNull();
  });

  it('that are over are swept away', async () => {
    const { identity, person, enter, clock, store } = openIdentity(await open());
    await person('ana', ['auditor']);
    await enter('ana');
    clock.nowMs += 25 * MINUTE_MS;
    const { token } = await enter('ana');
    clock.nowMs += 6 * MINUTE_MS;
    await identity.sweep();
    expect(await store.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
    expect(await identity.principalOfSession(token)).not.toBeNull();
  });
});

describeOnEachEngine('the audit of identity', (open) => {
  it('is written with the change or neither is', async () => {
    const store = await open();
    let isDown = false;
    const { identity, administrator } = openIdentity(store, {
      record: async (tx, draft) => {
        await appendAudit(tx, [draft]);
        if (isDown) throw new InputError('AUDIT_DOWN', 'The audit cannot be written', 'Mend it');
      },
    });
    const { actor } = await administrator();
    const entries = async () => (await store.db.selectFrom('audit_entries').selectAll().execute()).length;
    const before = await entries();
    expect(before).toBeGreaterThanOrEqual(3);
    isDown = true;
    const details = { login: 'ana', displayName: 'Ana', email: null, roles: ['auditor'] };
    await expect(identity.createUser(actor, details)).rejects.toEqual(refusal('AUDIT_DOWN'));
    const login = {
      login: 'admin.uno',
      password: PASSWORD,
      code: null,
      previousToken: null,
      address: null,
      userAgent: null,
    };
    await expect(identity.login(login)).rejects.toEqual(refusal('AUDIT_DOWN'));
    isDown = false;
    expect((await identity.listUsers(actor, null, 10)).users).toHaveLength(1);
    expect(await entries()).toBe(before);
  });

  it('has an entry of each of many log-ins at the same time', async () => {
    const store = await open();
    const { person, logIn } = openIdentity(store, {
      record: async (tx, draft) => void (await appendAudit(tx, [draft])),
    });
    await person('ana', ['auditor']);
    await person('luis', ['auditor']);
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) => logIn(i % 2 === 0 ? 'ana' : 'nobody', { address: `192.0.2.${i}` })),
    );
    const kinds = results.map(({ kind }) => kind);
    // Of somebody who is about to be let in, attempts are counted as failures until then: some may find the login locked.
    const written = await store.db
      .selectFrom('audit_entries')
      .select('action')
      .where('action', 'in', ['user.logged-in', 'user.log-in-refused'])
      .execute();
    const count = (action: string) => written.filter((entry) => entry.action === action).length;
    // The administrator was let in before.
    expect(count('user.logged-in')).toBe(kinds.filter((kind) => kind === 'signed-in').length + 1);
    expect(count('user.log-in-refused')).toBe(kinds.filter((kind) => kind === 'refused').length);
    expect(kinds.filter((kind) => kind === 'signed-in').length).toBeGreaterThan(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPasswordHasher, DEFAULT_PASSWORD_HASHER, OWASP_COST } from './password-hash.ts';
import { passwordProblem } from './password-policy.ts';

const CHEAP = { ...DEFAULT_PASSWORD_HASHER, cost: { memoryKib: 64, passes: 1, lanes: 1 } };
const salt = (seed: number) => new Uint8Array(16).fill(seed);

describe('password hashes', () => {
  it('are those of the reference implementation', async () => {
    // echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 24 (README and test.c of the reference implementation).
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await createPasswordHasher().verify('password', stored)).toBe(true);
    expect(await createPasswordHasher().verify('Password', stored)).toBe(false);
  });

  it('name their parameters, verify, and are outdated once the cost rises', async () => {
    const stored = await createPasswordHasher(CHEAP).hash('una frase de paso', salt(1));
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    const today = createPasswordHasher();
    expect(today.isOutdated(stored)).toBe(true);
    expect(await today.verify('una frase de paso', stored)).toBe(true);
    const renewed = await today.hash('una frase de paso', salt(2));
    expect(renewed).toContain(`m=${OWASP_COST.memoryKib},t=2,p=1`);
    expect(today.isOutdated(renewed)).toBe(false);
  });

  it('take the same password in another writing of the same characters', async () => {
    const hasher = createPasswordHasher(CHEAP);
    const stored = await hasher.hash('la niña del río', salt(3));
    expect(await hasher.verify('la niña del río'.normalize('NFD'), stored)).toBe(true);
  });

  it('work as hard for nobody, and refuse', async () => {
    const hasher = createPasswordHasher();
    const stored = await hasher.hash('otra frase de paso', salt(4));
    const workOf = async (hash: string | null) => {
      const before = process.cpuUsage();
      expect(await hasher.verify('no es esta frase', hash)).toBe(false);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // The processor's time: what else runs on the machine makes no difference to it.
    const least = async (hash: string | null) => Math.min(await workOf(hash), await workOf(hash), await workOf(hash));
    expect(await least(null)).toBeGreaterThan((await least(stored)) / 2);
  });

  it('are not read where they ask for more than is ever written', async () => {
    const hasher = createPasswordHasher(CHEAP);
    for (const stored of ['', 'x', '$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8']) {
      await expect(hasher.verify('x', stored)).rejects.toMatchObject({ code: 'PASSWORD_HASH_INVALID' });
    }
  });

  it('wait for their turn, so many and no more', async () => {
    const hasher = createPasswordHasher({ ...CHEAP, mostAtOnce: 1, mostWaiting: 3 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => hasher.hash('x', salt(1))));
    expect(results.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), ...Array(2).fill('rejected')]);
    expect((results[5] as PromiseRejectedResult).reason).toMatchObject({ code: 'IDENTITY_BUSY' });
    await expect(hasher.hash('x', salt(1))).resolves.toBeTypeOf('string');
  });
});

describe('the password policy', () => {
  const owner = { login: 'mquispe', displayName: 'Milagros Quispe', email: 'm.quispe@banco.example' };
  const problem = (password: string) => passwordProblem(password, owner);

  it('asks for twelve characters and takes 128 of any kind', () => {
    expect(problem('siete gatos')).toBe('PASSWORD_TOO_SHORT');
    expect(problem('siete  gatos')).toBeNull();
    expect(problem('🐈🌧🏔🎺🪁🚲🧉🌽🪗🦙🌊')).toBe('PASSWORD_TOO_SHORT');
    expect(problem('gatos sobre el tejado '.repeat(6).slice(0, 128))).toBeNull();
    expect(problem('gatos sobre el tejado '.repeat(6).slice(0, 129))).toBe('PASSWORD_TOO_LONG');
  });

  it.each([
    ...[
      'Password1234!',
      'contraseña2026',
      'Contrasena2026',
      'C0ntr4s3n4.2026',
      'alianzalima1901',
      'UniversitarioCrema24',
    ],
    ...['perúperúperú28', 'AdminAdmin123', 'qwertyuiop1234', 'Bienvenido.2026', 'teamomucho2026', 'IncaKola.Lima1'],
  ])('refuses what everybody chooses: %s', (password) => {
    expect(problem(password)).toBe('PASSWORD_COMMON');
  });

  it.each([
    '111111111111',
    '123456789012',
    '987654321098',
    'xyxyxyxyxyxy',
    '2026-2026-2026',
    '1q2w3e4r-----',
    'zzzzzzzzzzzzzz9',
  ])('refuses what follows from its beginning: %s', (password) => {
    expect(problem(password)).toBe('PASSWORD_PREDICTABLE');
  });

  it.each(['mquispe sobre ruedas', 'Milagros2026!xyz', 'tren-QU1SPE-verde', 'banco centinela 7 olas'])(
    'refuses names of the person and the service: %s',
    (password) => {
      expect(problem(password)).toBe('PASSWORD_IS_NAME');
    },
  );

  it('takes phrases of common words, and what a password manager makes', () => {
    expect(problem('lima llueve cada jueves tarde')).toBeNull();
    expect(problem('Zk4vQ9w2XbR7')).toBeNull();
    const random = fc.string({
      unit: fc.constantFrom(...'abcdefghjkmnpqrstvwxyz23456789'),
      minLength: 20,
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.noShrink(random), (password) => {
        fc.pre(new Set(password).size > 10);
        expect(problem(password)).toBeNull();
      }),
    );
  });

  it('answers quickly, whatever the text', () => {
    const from = performance.now();
    for (const text of [
      'a'.repeat(128),
      'abc'.repeat(42),
      'pass'.repeat(32),
      'angelangels'.repeat(11),
      `${'hola'.repeat(31)}zqxw`,
      'ñ'.repeat(128),
    ]) {
      problem(text);
    }
    expect(performance.now() - from).toBeLessThan(500);
  });
});

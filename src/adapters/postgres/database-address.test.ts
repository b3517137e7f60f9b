import { expect, test } from 'vitest';
import { addressOf } from './database-address.ts';

test('an address is taken apart, and its signs are decoded', () => {
  expect(addressOf('postgresql://centinela:p%40ss%2F@db.banco.pe/records')).toEqual({
    host: 'db.banco.pe',
    port: 5432,
    user: 'centinela',
    password: 'p@ss/',
    database: 'records',
    isLocal: false,
  });
  expect(addressOf('postgres://a@[::1]:6000/b')).toMatchObject({
    host: '::1',
    port: 6000,
    password: undefined,
    isLocal: true,
  });
});

test('only loopback is local', () => {
  const isLocal = (host: string) => addressOf(`postgres://a@${host}/b`).isLocal;
  expect(['localhost', '127.0.0.1', '127.9.0.1'].map(isLocal)).toEqual([true, true, true]);
  expect(['localhost.banco.pe', '127.banco.pe', '10.0.0.1', '0.0.0.0'].map(isLocal)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('one that cannot be read is refused without repeating it', () => {
  for (const url of [
    'secreta',
    'mysql://a:secreta@b/c',
    'postgres://a:secreta@b/c?sslmode=disable',
    'postgres://a:secreta@b',
    'postgres://:secreta@b/c',
    'postgres://a:secreta%@b/c',
  ]) {
    expect(() => addressOf(url)).toThrow(expect.objectContaining({ code: 'POSTGRES_ADDRESS' }));
    expect(() => addressOf(url)).not.toThrow(/secreta/);
  }
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualityMask } from '../decisions/data-quality.ts';
import { createTransaction } from '../domain/transaction.ts';
import { Scrubber } from './scrubber.ts';
import { personalId, Tokens } from './tokens.ts';

const tokens = () => new Tokens(new Uint8Array(32).fill(7));

describe('tokens', () => {
  it.each([
    ['9604 0000 0000 0019', 'pan'],
    ['00299900000000000118', 'cci'],
    ['10101174102', 'ruc'],
    ['+51 987 654 321', 'cel'],
    ['987654321', 'cel'],
    ['40000001', 'dni'],
    ['10117410-2', 'dni'],
    ['ana.perez@correo.pe', 'mail'],
  ])('knows %s for a %s and replaces it', (id, kind) => {
    expect(personalId(id)?.kind).toBe(kind);
    expect(tokens().publicId(id)).toMatch(new RegExp(`^${kind}_[a-p]{32}${kind === 'pan' ? '_0019' : ''}$`));
  });

  it.each(['P0000123', 'wallet-77', '20100070970', '00000000', '', 'T-40000001', '1234567', 'N/A', '99999999'])(
    'leaves %s as it is',
    (id) => {
      expect(personalId(id)).toBeNull();
      expect(tokens().publicId(id)).toBe(id);
    },
  );

  it('gives one address one token however it is written, which stays as it is', () => {
    const made = tokens();
    const token = made.address('190.43.1.2');
    expect(token).toMatch(/^ip_[a-p]{32}$/);
    expect(['::ffff:190.43.1.2', '::FFFF:be2b:102', ' 190.43.1.2 ', token].map((each) => made.address(each))).toEqual([
      ...[token, token, token, token],
    ]);
    expect(made.address('2800:0200:0000::0001')).toBe(made.address('2800:200::1'));
    expect(made.address('fe80::1%eth0')).toBe(made.address('fe80::1'));
    const others = ['190.43.1.3', '2800:200::1', '2800:200::2', 'unknown'].map((each) => made.address(each));
    expect(new Set([token, ...others]).size).toBe(5);
    expect(new Tokens(new Uint8Array(32).fill(8)).address('190.43.1.2')).not.toBe(token);
  });

  it('gives one number one token however it is written, and one customer by id and by token', () => {
    const made = tokens();
    expect(made.publicId('+51 987-654-321')).toBe(made.publicId('987654321'));
    expect(made.publicId('9604-0000-0000-0019')).toBe(made.publicId('9604000000000019'));
    expect(made.publicId(made.publicId('40000001'))).toBe(made.publicId('40000001'));
    expect(made.subject(made.publicId('40000001'))).toBe(made.subject('40000001'));
    expect(made.subject('P1')).not.toBe(made.subject('P2'));
  });

  it('gives other tokens under another pepper', () => {
    const other = new Tokens(new Uint8Array(32).fill(8));
    expect(other.publicId('40000001')).not.toBe(tokens().publicId('40000001'));
    expect(other.subject('P1')).not.toBe(tokens().subject('P1'));
  });

  it('makes nothing that is found in a log again', () => {
    const made = tokens();
    const scrubber = new Scrubber();
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9]\d{7}$/), (dni) => {
        expect(scrubber.find(`DNI ${made.publicId(dni)} de ${made.subject(dni)}`)).toEqual([]);
      }),
    );
  });

  it('changes nothing that data quality looks at', () => {
    const made = tokens();
    const id = fc.oneof(
      fc.stringMatching(/^\d{5,20}$/),
      fc.constantFrom('00000000', '987654321', '40000001', 'N/A', '0', '---', '12345678', '10101174102', 'a@b.pe'),
    );
    fc.assert(
      fc.property(id, id, (payerId, payeeId) => {
        const t = createTransaction({
          ...{ id: 't', eventTimeMs: 1.79e12, amountMinor: 100, currency: 'PEN', operation: 'transfer' },
          ...{ payerId, payeeId },
        });
        const open = { ...t, payerId: made.publicId(payerId), payeeId: made.publicId(payeeId) };
        expect(qualityMask(open)).toBe(qualityMask(t));
      }),
      { numRuns: 1000 },
    );
  });
});

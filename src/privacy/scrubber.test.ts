import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeCci } from '../domain/cci.ts';
import { passesLuhn } from '../domain/pan.ts';
import { completeRuc } from '../domain/ruc.ts';
import { type FoundKind, Scrubber } from './scrubber.ts';

const scrubber = new Scrubber();
const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((each) => each.join(''));

const pan = fc.tuple(fc.constantFrom('9604', '4', '55'), digits(11), digits(3)).map(([start, a, b]) => {
  const body = (start + a + b).slice(0, 15);
  return body + [...'0123456789'].find((last) => passesLuhn(body + last))!;
});
const cci = digits(9).map((account) => completeCci(`002999000${account}`));
const ruc = fc.tuple(fc.constantFrom('10', '20'), digits(8)).map(([prefix, body]) => completeRuc(prefix + body));
const mobile = digits(8).map((rest) => `9${rest}`);
const grouped = (number: string, sizes: readonly number[], separator: string) => {
  const groups: string[] = [];
  let at = 0;
  for (const size of sizes) {
    groups.push(number.slice(at, at + size));
    at += size;
  }
  return groups.join(separator);
};
const separator = fc.constantFrom(' ', '-');

const written: Readonly<Record<FoundKind, fc.Arbitrary<string>>> = {
  pan: fc.oneof(
    pan,
    fc.tuple(pan, separator).map(([number, sign]) => grouped(number, [4, 4, 4, 4], sign)),
  ),
  cci: fc.oneof(
    cci,
    fc.tuple(cci, separator).map(([number, sign]) => grouped(number, [3, 3, 12, 2], sign)),
  ),
  ruc,
  cel: fc.oneof(
    mobile,
    mobile.map((number) => `+51${number}`),
    mobile.map((number) => `51${number}`),
    fc.tuple(mobile, separator).map(([number, sign]) => grouped(number, [3, 3, 3], sign)),
    mobile.map((number) => `+51 ${grouped(number, [3, 3, 3], ' ')}`),
  ),
  dni: fc
    .tuple(fc.constantFrom('DNI ', 'dni: ', 'documento de identidad N° ', '"payerDocument":"'), digits(8))
    .map(([word, number]) => word + number),
  mail: fc
    .tuple(
      fc.stringMatching(/^[a-z][a-z0-9._+-]{0,20}[a-z0-9]$/),
      fc.stringMatching(/^[a-z]{2,10}\.(?:com|pe|org\.pe)$/),
    )
    .map(([local, host]) => `${local}@${host}`),
  name: fc.constantFrom('JUANA QUISPE MAMANI', 'Juana Quispe Mamani', 'juana quispe  mamani', 'JUANA, QUISPE MAMANI'),
  secret: fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9._~+/-]{20,60}$/).map((token) => `Bearer ${token}`),
    fc
      .tuple(
        fc.constantFrom('password', 'smtpPassword', 'X-Api-Key', 'clave', 'client_secret', 'token'),
        fc.stringMatching(/^[A-Za-z0-9!#%*]{6,20}$/),
      )
      .map(([name, value]) => `"${name}":"${value}"`),
    fc.stringMatching(/^[A-Za-z0-9]{6,20}$/).map((value) => `password=${value}`),
    digits(20).map((value) => `cnt_0123456789abcdef_${value}${value}abc`),
  ),
};
/** Text without digits that ends in no digit and no letter. */
const around = fc.constantFrom('', 'pago de ', 'error: ', '{"msg":"', '(', 'tel: ', 'no se pudo leer «', '\\n', ' | ');
const after = fc.constantFrom('', ' falló', '"}', ')', ', otra vez', '; fin', '.', '\n', '» en la fila');

describe('Scrubber', () => {
  for (const kind of Object.keys(written) as FoundKind[]) {
    it(`finds whatever ${kind} stands in a text, and nothing of it is left`, () => {
      const own = new Scrubber({ names: ['Juana Quispe Mamani'] });
      fc.assert(
        fc.property(around, written[kind], after, (before, value, behind) => {
          const scrubbed = own.scrub(before + value + behind);
          expect(scrubbed).toContain(`[${kind}]`);
          const core =
            kind === 'secret' ? value.replace(/^.*?[: =]+"?|"$/g, '') : (value.match(/[\d -]{8,}$/)?.[0] ?? value);
          expect(scrubbed).not.toContain(core.trim());
        }),
        { numRuns: 300 },
      );
    });
  }

  it('finds several in one line, in their order', () => {
    const line = 'tarjeta 9604000000000019, CCI 00299900000000000118 de ana@correo.pe, cel. 987654321';
    expect(scrubber.find(line).map(({ kind }) => kind)).toEqual(['pan', 'cci', 'mail', 'cel']);
    expect(scrubber.scrub(line)).toBe('tarjeta [pan], CCI [cci] de [mail], cel. [cel]');
  });

  it('keeps a line of JSON a line of JSON', () => {
    const line = '{"phone":987654321,"cards":[9604000000000019],"msg":"a:987654321,b","offset":912345678}';
    const read = JSON.parse(scrubber.scrub(line));
    expect(read).toEqual({ phone: '[cel]', cards: ['[pan]'], msg: 'a:[cel],b', offset: 912_345_678 });
  });

  it('leaves what our own logs are made of', () => {
    const lines = [
      '{"level":30,"time":"2026-11-26T15:31:00.123Z","topic":"transactions","partition":3,"offset":987654321,"msg":"committed"}',
      '{"durationMs":912345678,"amountMinor":20100070970,"heldBytes":987654321,"lag":912345678,"risk":0.9876543210123456}',
      '{"model":"cards@12","rules":["velocity@3"],"id":"T-000912345678","at":1790000000000,"features":"a3f9"}',
      'offset 987654321 of transactions/3, 12 records, 2026-11-26 15:31:00',
      'polled 5000 records in 12 ms; tokens 12; the secret of order; clave de la fila',
      'pan_abcdefghijklmnopabcdefghijklmnop_1234 cli_abcdefghijklmnopabcdefghijklmnop',
      '127.0.0.1:9092 centinela/1.2.3 node@24.21.0 /models/demo/12/manifest.json',
    ];
    for (const line of lines) expect(scrubber.scrub(line)).toBe(line);
  });

  it('leaves what only looks like a number inside of a hash or a UUID', () => {
    for (const text of ['ab00299900000000000118cdef', 'f9604000000000019a', '96040000-0000-0019-a000-000000000001']) {
      expect(scrubber.scrub(text)).toBe(text);
    }
    expect(scrubber.scrub('CCI00299900000000000118')).toBe('CCI[cci]');
    expect(scrubber.scrub('9604-0000-0000-0019')).toBe('[pan]');
  });

  it('leaves hashes, UUIDs and tokens, but for very few', () => {
    let found = 0;
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      const hash = createHash('sha256').update(`line ${i}`).digest();
      const hex = hash.toString('hex');
      const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
      found += scrubber.find(
        `{"hash":"${hex}","trace":"${hex.slice(0, 16)}","id":"${uuid}","b":"${hash.toString('base64')}"}`,
      ).length;
    }
    expect(found / rounds).toBeLessThan(1e-3);
  });

  it('takes a password out of an address and the whole of a private key', () => {
    expect(scrubber.scrub('postgres://centinela:s3cr3t@db.local:5432/x')).toBe('postgres://[secret]@db.local:5432/x');
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----';
    expect(scrubber.scrub(`key: ${pem}`)).not.toContain('MIIE');
  });

  it('cuts what is too long to be looked at', () => {
    const short = new Scrubber({ mostLength: 20 });
    expect(short.scrub(`${'x'.repeat(20)} 9604000000000019`)).toBe(`${'x'.repeat(20)}[cut]`);
  });

  it('never takes longer than the text is long', () => {
    const nasty = [
      '1 '.repeat(50_000),
      '1-2-'.repeat(25_000),
      '@'.repeat(100_000),
      `${'a.'.repeat(50_000)}@`,
      '9'.repeat(100_000),
      'a@'.repeat(50_000),
      '-----BEGIN '.repeat(9000),
    ];
    for (const text of nasty) {
      const started = process.cpuUsage();
      scrubber.scrub(text);
      expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
    }
  });
});

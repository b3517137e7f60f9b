import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPLAY_WINDOW_MS, signWebhook, verifyWebhook } from './webhook-signature.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const OLD = bytes('old secret of at least 32 bytes .');
const NEW = bytes('new secret of at least 32 bytes .');
const BODY = bytes('{"id":"d1"}');
const NOW_MS = 1_764_172_800_123;

describe('a signed webhook', () => {
  it('is signed over the time and the bytes of the body, as anybody can compute it', () => {
    const expected = createHmac('sha256', Buffer.from(OLD)).update('1764172800.{"id":"d1"}', 'utf8').digest('hex');
    expect(signWebhook(BODY, [OLD], NOW_MS)).toBe(`t=1764172800,v1=${expected}`);
  });

  it('is accepted with the old and the new secret while they are changed, and not with another', () => {
    const both = signWebhook(BODY, [NEW, OLD], NOW_MS);
    for (const known of [[OLD], [NEW], [NEW, OLD]]) expect(verifyWebhook(both, BODY, known, NOW_MS).isValid).toBe(true);
    expect(verifyWebhook(both, BODY, [bytes('some other secret')], NOW_MS)).toEqual({
      isValid: false,
      problem: 'signature-wrong',
    });
    expect(verifyWebhook(both, BODY, [], NOW_MS).isValid).toBe(false);
  });

  it('is refused where any byte of the body, the time or the signature was changed', () => {
    const header = signWebhook(BODY, [NEW], NOW_MS);
    fc.assert(
      fc.property(fc.nat(BODY.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = BODY.slice();
        changed[at] ^= flip;
        expect(verifyWebhook(header, changed, [NEW], NOW_MS).isValid).toBe(false);
      }),
      { numRuns: 50 },
    );
    expect(verifyWebhook(header.replace('t=1764172800', 't=1764172801'), BODY, [NEW], NOW_MS).isValid).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 16, max: header.length - 1 }), (at) => {
        const other = header[at] === '0' ? '1' : '0';
        expect(verifyWebhook(header.slice(0, at) + other + header.slice(at + 1), BODY, [NEW], NOW_MS).isValid).toBe(
          false,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('is refused outside of the window, in both directions', () => {
    const header = signWebhook(BODY, [NEW], NOW_MS);
    expect(verifyWebhook(header, BODY, [NEW], NOW_MS + REPLAY_WINDOW_MS - 1000).isValid).toBe(true);
    expect(verifyWebhook(header, BODY, [NEW], NOW_MS + REPLAY_WINDOW_MS + 1)).toMatchObject({ problem: 'too-old' });
    expect(verifyWebhook(header, BODY, [NEW], NOW_MS - REPLAY_WINDOW_MS - 1000)).toMatchObject({
      problem: 'in-the-future',
    });
  });

  it('says what is wrong with a header that is none, and never throws', () => {
    expect(verifyWebhook(null, BODY, [NEW], NOW_MS)).toMatchObject({ problem: 'header-missing' });
    for (const header of [
      'x',
      't=1',
      'v1=00',
      't=1,t=2,v1=00',
      't=,v1=',
      `t=1,v1=${'0'.repeat(63)}`,
      'a'.repeat(5000),
    ]) {
      expect(verifyWebhook(header, BODY, [NEW], NOW_MS)).toMatchObject({ problem: 'header-malformed' });
    }
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(verifyWebhook(header, BODY, [NEW], NOW_MS).isValid).toBe(false);
      }),
    );
    expect(verifyWebhook('t=1,v1=00', new Uint8Array(65_537), [NEW], NOW_MS)).toMatchObject({
      problem: 'body-too-large',
    });
  });
});

import { expect, test, vi } from 'vitest';

const PAN = '4111 1111 1111 1111';

test('a secret of the installation makes tokens that nobody else can make, and a short one is refused', async () => {
  const open = async () => {
    vi.resetModules();
    return await import('./card-token.ts');
  };
  const [ours, theirs, nobodys] = [await open(), await open(), await open()];
  ours.keyCardTokens('a'.repeat(32));
  theirs.keyCardTokens('b'.repeat(32));
  expect(ours.cardToken(PAN)).toBe(ours.cardToken('4111-1111-1111-1111'));
  expect(ours.cardToken(PAN)).toMatch(/^tok_[0-9a-f]{16}_1111$/);
  expect(new Set([ours, theirs, nobodys].map((each) => each.cardToken(PAN))).size).toBe(3);
  expect(() => ours.keyCardTokens('short')).toThrow('fewer than 32 characters');
});

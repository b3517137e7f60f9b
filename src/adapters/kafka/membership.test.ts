import { expect, it } from 'vitest';
import { MemberName } from './membership.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

it('gives ids that are never the same, and by which a later process knows an earlier one', () => {
  const [before, after, other] = [new MemberName('pod-0'), new MemberName('pod-0'), new MemberName('pod-1')];
  const [was, is] = [before.newId(), after.newId()];
  expect([was, is]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
  expect(was).not.toBe(is);
  expect(after.isForerunner(was, is)).toBe(true);
  expect(after.isForerunner(is, is)).toBe(false);
  expect(after.isForerunner(other.newId(), is)).toBe(false);
});

it('leaves a twin in peace once it has settled, but not what it was itself', () => {
  const [one, twin] = [new MemberName('pod-0'), new MemberName('pod-0')];
  const first = one.newId();
  one.settle();
  const second = one.newId();
  expect(one.isForerunner(twin.newId(), second)).toBe(false);
  expect(one.isForerunner(first, second)).toBe(true);
});

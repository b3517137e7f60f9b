import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ConsumerGroup, type GroupMember, groupToJoin, partitionName } from './consumer-group.ts';

const groupOf = (topics: Record<string, number>) =>
  groupToJoin(new Map(), 'g', new Map(Object.entries(topics)), () => undefined);

/** What a poll does of it. */
function step(group: ConsumerGroup, member: GroupMember): number {
  const released = group.toRelease(member);
  group.release(member, released);
  const claimed = group.toClaim(member);
  group.claim(member, claimed);
  return released.length + claimed.length;
}

test('whatever members come and go, no partition has two owners, and in the end all are shared out evenly', () => {
  const moves = fc.array(fc.record({ what: fc.constantFrom('join', 'leave', 'poll'), who: fc.nat(9) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(moves, fc.integer({ min: 1, max: 12 }), (list, partitions) => {
      const group = groupOf({ a: partitions });
      const members: GroupMember[] = [group.join()];
      for (const { what, who } of list) {
        const member = members[who % Math.max(1, members.length)];
        if (what === 'join' && members.length < 8) members.push(group.join());
        else if (member === undefined) continue;
        else if (what === 'leave') group.remove(members.splice(members.indexOf(member), 1)[0]!);
        else step(group, member);
        const owned = members.flatMap((each) => [...each.owned]);
        expect(new Set(owned).size).toBe(owned.length);
        for (const each of members) for (const at of group.partitionsOf(each)) expect(group.owns(each, at)).toBe(true);
      }
      if (members.length === 0) members.push(group.join());
      for (let round = 0; round < 2; round++) for (const member of members) step(group, member);
      const shares = members.map(({ owned }) => owned.size);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test('a third member takes from the other two only what it is to have', () => {
  const group = groupOf({ a: 9 });
  const members = [group.join(), group.join()];
  for (let round = 0; round < 2; round++) for (const member of members) step(group, member);
  const before = members.map(({ owned }) => new Set(owned));
  members.push(group.join());
  for (let round = 0; round < 2; round++) for (const member of members) step(group, member);
  expect(members.map(({ owned }) => owned.size)).toEqual([3, 3, 3]);
  for (const index of [0, 1]) for (const name of members[index]!.owned) expect(before[index]!.has(name)).toBe(true);
});

test('partitions of one number go to one member, of all topics', () => {
  const group = groupOf({ a: 4, b: 4, c: 2 });
  const members = [group.join(), group.join()];
  for (let round = 0; round < 2; round++) for (const member of members) step(group, member);
  for (const member of members) {
    for (const { partition } of group.partitionsOf(member)) {
      expect(member.owned.has(partitionName({ topic: 'a', partition }))).toBe(true);
      expect(member.owned.has(partitionName({ topic: 'b', partition }))).toBe(true);
    }
  }
});

test('a member with other topics is refused, and accepted where nobody is left', () => {
  const groups = new Map<string, ConsumerGroup>();
  const join = (topic: string) => groupToJoin(groups, 'g', new Map([[topic, 1]]), () => undefined);
  const group = join('a');
  const member = group.join();
  expect(() => join('b')).toThrow("group 'g' reads a, and a member asked for b");
  group.remove(member);
  expect(join('b').topics).toEqual(['b']);
});

test('a member that comes back to a group that was empty meanwhile meets those who joined since', () => {
  const groups = new Map<string, ConsumerGroup>();
  const join = (topic: string) => groupToJoin(groups, 'g', new Map([[topic, 1]]), () => undefined);
  const before = join('a');
  before.remove(before.join());
  expect(join('a')).toBe(before);
  join('b').join();
  expect(() => before.join()).toThrow('other topics');
});

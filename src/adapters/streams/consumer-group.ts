// Who of a consumer group owns which partitions, in one process: what a broker's group coordinator does for several.
//
// Rebalancing is cooperative and sticky: a partition moves only when it must, and is given to its next owner after the
// last one let go of it. All topics' partitions of one number go to one member, so that records with the same key meet.
import { FencedError, InputError } from '../../lib/errors.ts';
import type { StreamPartition } from '../../ports.ts';

export interface GroupMember {
  /** False once it left or was expelled. */
  readonly alive: boolean;
  /** Names of what it owns (`partitionName`). */
  readonly owned: ReadonlySet<string>;
}

export interface ConsumerGroup {
  readonly topics: readonly string[];
  /** Nobody is in it. */
  readonly isEmpty: boolean;
  /** @throws FencedError where another group has taken its name */
  join(): GroupMember;
  /** Nobody joins it any more: not even a member that was held for dead and comes back. */
  retire(): void;
  /** What the member has, and is another's by the newest sharing out. */
  toRelease(member: GroupMember): StreamPartition[];
  /** What is the member's by the newest sharing out and nobody has. */
  toClaim(member: GroupMember): StreamPartition[];
  claim(member: GroupMember, partitions: readonly StreamPartition[]): void;
  release(member: GroupMember, partitions: readonly StreamPartition[]): void;
  /** Takes the member out with all that it has, whether it left or is held for dead. */
  remove(member: GroupMember): void;
  owns(member: GroupMember, partition: StreamPartition): boolean;
  partitionsOf(member: GroupMember): StreamPartition[];
}

interface Member {
  alive: boolean;
  readonly owned: Set<string>;
  /** Numbers of partitions that are to be its. */
  target: Set<number>;
}

/** `transactions-3`: how a partition is named in messages, folders and maps. */
export function partitionName({ topic, partition }: StreamPartition): string {
  return `${topic}-${partition}`;
}

/**
 * @param topics with how many partitions each has
 * @param changed called when the partitions were shared out anew
 */
function createConsumerGroup(topics: ReadonlyMap<string, number>, changed: () => void): ConsumerGroup {
  const members: Member[] = [];
  const owners = new Map<string, Member>();
  let isRetired = false;
  const numbers = Math.max(...topics.values());
  const all = [...topics].flatMap(([topic, partitions]) =>
    Array.from({ length: partitions }, (_, partition): StreamPartition => ({ topic, partition })),
  );
  // Members are given out as GroupMember and come back as such.
  const own = (member: GroupMember) => member as Member;

  function shareOut(): void {
    const least = Math.floor(numbers / Math.max(1, members.length));
    let larger = numbers - least * members.length;
    const free = new Set(Array.from({ length: numbers }, (_, number) => number));
    // Those that have most keep the larger shares, so that fewest partitions move.
    const byShare = members.toSorted((a, b) => b.target.size - a.target.size);
    const quotas = new Map(byShare.map((member) => [member, least + (larger-- > 0 ? 1 : 0)]));
    for (const member of members) {
      member.target = new Set([...member.target].sort((a, b) => a - b).slice(0, quotas.get(member)!));
      for (const number of member.target) free.delete(number);
    }
    const waiting = [...free];
    for (const member of members) {
      while (member.target.size < quotas.get(member)!) member.target.add(waiting.shift()!);
    }
    changed();
  }

  return {
    topics: [...topics.keys()],
    get isEmpty() {
      return members.length === 0;
    },
    retire() {
      isRetired = true;
    },
    join() {
      if (isRetired) throw new FencedError('the group reads other topics by now');
      const member: Member = { alive: true, owned: new Set(), target: new Set() };
      members.push(member);
      shareOut();
      return member;
    },
    toRelease: (member) =>
      all.filter((at) => own(member).owned.has(partitionName(at)) && !own(member).target.has(at.partition)),
    toClaim: (member) =>
      all.filter((at) => own(member).alive && own(member).target.has(at.partition) && !owners.has(partitionName(at))),
    claim(member, partitions) {
      for (const name of partitions.map(partitionName)) {
        owners.set(name, own(member));
        own(member).owned.add(name);
      }
    },
    release(member, partitions) {
      for (const name of partitions.map(partitionName)) {
        if (owners.get(name) === member) owners.delete(name);
        own(member).owned.delete(name);
      }
      changed();
    },
    remove(member) {
      if (!own(member).alive) return;
      own(member).alive = false;
      for (const name of own(member).owned) owners.delete(name);
      members.splice(members.indexOf(own(member)), 1);
      shareOut();
    },
    owns: (member, partition) => own(member).alive && owners.get(partitionName(partition)) === member,
    partitionsOf: (member) => all.filter((at) => own(member).owned.has(partitionName(at))),
  };
}

/**
 * The group that a member joins: the one there is, or a new one where nobody is in it.
 *
 * @throws InputError where it wants other topics than the group's members: no sharing out could be right for all
 */
export function groupToJoin(
  groups: Map<string, ConsumerGroup>,
  name: string,
  topics: ReadonlyMap<string, number>,
  changed: () => void,
): ConsumerGroup {
  const found = groups.get(name);
  const isSame = found?.topics.toSorted().join() === [...topics.keys()].toSorted().join();
  // An empty group of the same topics stays: whoever was held for dead comes back to it, and two groups would both own all.
  if (found === undefined || (found.isEmpty && !isSame)) {
    found?.retire();
    const group = createConsumerGroup(topics, changed);
    groups.set(name, group);
    return group;
  }
  if (isSame) return found;
  const wanted = [...topics.keys()];
  throw new InputError(
    'GROUP_TOPICS',
    `group '${name}' reads ${found.topics.join(', ')}, and a member asked for ${wanted.join(', ')}`,
    'Use a group of its own for other topics',
  );
}

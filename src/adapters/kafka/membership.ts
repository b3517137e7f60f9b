// A member's place in its group, as the consumer sees it: which partitions it should have, under which generation. Two
// protocols give it: the consumer protocol (KIP-848, the broker assigns) and the classic one (a member assigns).
import { createHash, randomBytes } from 'node:crypto';
import type { StreamPartition } from '../../ports.ts';
import type { GroupMember } from './transactions.ts';

export interface Membership {
  /** What the group wants this member to have; null while nothing is known (yet, or any more). */
  readonly target: readonly StreamPartition[] | null;
  /**
   * Takes care that the membership is alive and that changes get known. Never waits long: what takes long goes on in the
   * background, and `changed` is called when it is done.
   *
   * @returns true where the membership was lost since the last call: nothing is this member's any more
   * @throws InputError where the group refuses us for good
   */
  attend(): Promise<boolean>;
  /** What it really has by now, for the group to know. */
  own(partitions: readonly StreamPartition[]): Promise<void>;
  /**
   * Sends something that must carry the newest generation, with none coming in between; once more where the group had
   * moved on and this member with it.
   */
  asMember(send: (member: GroupMember) => Promise<void>): Promise<void>;
  /** As if the group had thrown this member out: it is told so and comes back as a new one. */
  abandon(): void;
  leave(): Promise<void>;
}

/**
 * A name that a process keeps over restarts. Its members' ids begin alike and end at random: a later process knows by the
 * beginning who was there before it and puts them out of the group, where it would else wait for their session to end; and two
 * processes that have the same name by mistake are still two members.
 */
export class MemberName {
  readonly #beginning: string;
  /** Ids of this process. */
  readonly #own = new Set<string>();
  #isNew = true;

  constructor(name: string) {
    this.#beginning = createHash('sha256').update(name).digest('hex').slice(0, 16);
  }

  /** Of the form that the protocol recommends. */
  newId(): string {
    const hex = this.#beginning + randomBytes(8).toString('hex');
    const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    this.#own.add(id);
    return id;
  }

  /** Of the name, before this process; later on only of this process itself. */
  isForerunner(memberId: string, current: string): boolean {
    if (memberId === current) return false;
    return this.#own.has(memberId) || (this.#isNew && memberId.replaceAll('-', '').startsWith(this.#beginning));
  }

  /** Forerunners have been put out: who has the name from here on is a twin, who would put us out in turn. */
  settle(): void {
    this.#isNew = false;
  }
}

export interface MembershipOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** How long the others may take to give partitions up. */
  readonly rebalanceTimeoutMs: number;
  /** After so long without a sign the group takes a member for dead (classic protocol; else the broker decides). */
  readonly sessionTimeoutMs: number;
  /** A member that does not poll for so long leaves. */
  readonly maxPollIntervalMs: number;
  /** null: nobody's place is taken. */
  readonly name: MemberName | null;
  /** Called whenever `attend` has something new to tell. */
  readonly changed: () => void;
}

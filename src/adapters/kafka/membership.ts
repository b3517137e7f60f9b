// A member's place in its group, as the consumer sees it: which partitions it should have, under which generation. Two
// protocols give it: the consumer protocol (KIP-848, the broker assigns) and the classic one (a member assigns).
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

export interface MembershipOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** How long the others may take to give partitions up. */
  readonly rebalanceTimeoutMs: number;
  /** After so long without a sign the group takes a member for dead (classic protocol; else the broker decides). */
  readonly sessionTimeoutMs: number;
  /** A member that does not poll for so long leaves. */
  readonly maxPollIntervalMs: number;
  /** The same over restarts of the process, and nobody else's: who bore it before is put out of the group at once. */
  readonly memberName: string | null;
  /** Called whenever `attend` has something new to tell. */
  readonly changed: () => void;
}

// A member of a group over any log whose groups live in this process: the part of StreamConsumer that the memory log and
// the file log have in common. Ownership changes only inside `poll` and `close`, as in Kafka's own consumer.
import { assert } from '../../lib/assert.ts';
import { FencedError } from '../../lib/errors.ts';
import type {
  AssignmentListener,
  OutgoingRecord,
  StreamBatch,
  StreamConsumer,
  StreamPartition,
  StreamPosition,
  StreamRecord,
} from '../../ports.ts';
import { type ConsumerGroup, type GroupMember, partitionName } from './consumer-group.ts';

/** What a group's members need of their log. */
export interface GroupLog {
  /** Consecutive committed records from there on, as far as they are at hand; positions before the start begin there. */
  fetch(from: StreamPosition, maxRecords: number): Promise<readonly StreamRecord[]>;
  end(partition: StreamPartition): number;
  committed(group: string, partition: StreamPartition): number;
  /** Returns when what was under way to the log is decided. */
  settle(): Promise<void>;
  /** Writes all or nothing; asks `allowed` at the last moment and throws FencedError where it says no. */
  write(
    group: string,
    outputs: readonly OutgoingRecord[],
    positions: readonly StreamPosition[],
    allowed: () => boolean,
  ): Promise<void>;
  /** @returns a function that waits for something new; false when the time is over */
  patience(maxWaitMs: number): () => Promise<boolean>;
  /** In which order the partitions that have records are asked this time, and which are left out. */
  order(ready: readonly StreamPosition[]): readonly StreamPosition[];
}

export interface GroupConsumer extends StreamConsumer {
  /** As if the member had died: the others take its partitions; should it come back, it is told that they are lost. */
  expel(): void;
}

/** What one poll gives at most, beyond the last partition's share: large records come in smaller batches. */
const MAX_POLL_BYTES = 33_554_432;

export function createGroupConsumer(
  log: GroupLog,
  name: string,
  group: ConsumerGroup,
  listener: AssignmentListener,
): GroupConsumer {
  let member: GroupMember = group.join();
  let lost: StreamPartition[] = [];
  let closed = false;
  let turn = 0;
  const positions = new Map<string, StreamPosition>();

  function expel(): void {
    if (!member.alive) return;
    lost = group.partitionsOf(member);
    group.remove(member);
  }

  async function tellLost(): Promise<void> {
    const gone = lost;
    lost = [];
    positions.clear();
    if (gone.length > 0) await listener.lost(gone);
  }

  async function giveUp(partitions: readonly StreamPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    // Not read any more from here on; still ours for a last commit.
    for (const at of partitions) positions.delete(partitionName(at));
    try {
      await listener.revoked(partitions);
    } finally {
      await log.settle();
      group.release(member, partitions);
    }
  }

  async function takeOver(partitions: readonly StreamPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    group.claim(member, partitions);
    await log.settle();
    const committed = partitions.map((at) => ({ ...at, offset: log.committed(name, at) }));
    let begin: readonly StreamPosition[];
    try {
      begin = await listener.assigned(committed);
    } catch (error) {
      // Not taken over: the next poll, whoever's, finds them free.
      group.release(member, partitions);
      throw error;
    }
    const from = new Map(begin.map((at) => [partitionName(at), at.offset]));
    for (const at of committed) {
      if (!group.owns(member, at)) continue;
      positions.set(partitionName(at), { ...at, offset: from.get(partitionName(at)) ?? at.offset });
    }
  }

  async function rebalance(): Promise<void> {
    if (!member.alive) {
      await tellLost();
      member = group.join();
    }
    await giveUp(group.toRelease(member));
    await takeOver(group.toClaim(member));
  }

  async function fetch(maxRecords: number): Promise<StreamBatch[]> {
    const all = [...positions.values()];
    // Whoever came first last time comes last now, or a busy partition would keep the others waiting.
    const first = all.length === 0 ? 0 : turn++ % all.length;
    const rotated = [...all.slice(first), ...all.slice(0, first)];
    let ready = log.order(rotated.filter((at) => at.offset < log.end(at)));
    const reached: StreamPosition[] = [];
    const found = new Map<string, { topic: string; partition: number; records: StreamRecord[] }>();
    let left = maxRecords;
    let bytes = 0;
    while (left > 0 && bytes < MAX_POLL_BYTES && ready.length > 0) {
      const share = Math.max(1, Math.floor(left / ready.length));
      const more: StreamPosition[] = [];
      for (const at of ready) {
        if (left === 0 || bytes >= MAX_POLL_BYTES) break;
        const records = await log.fetch(at, Math.min(share, left));
        if (records.length === 0) continue;
        const next = { ...at, offset: records.at(-1)!.offset + 1 };
        reached.push(next);
        const { topic, partition } = at;
        const batch = found.get(partitionName(at)) ?? { topic, partition, records: [] };
        batch.records.push(...records);
        found.set(partitionName(at), batch);
        left -= records.length;
        for (const { key, value } of records) bytes += (key?.length ?? 0) + (value?.length ?? 0);
        if (next.offset < log.end(at)) more.push(next);
      }
      ready = more;
    }
    // Only now: had one partition failed, the records of the others would have been passed over.
    for (const at of reached) positions.set(partitionName(at), at);
    return [...found.values()];
  }

  return {
    expel,
    async poll(maxRecords, maxWaitMs) {
      assert(!closed, `a member of group '${name}' was used after it left`);
      const somethingNew = log.patience(maxWaitMs);
      for (;;) {
        await rebalance();
        const batches = await fetch(maxRecords);
        if (batches.length > 0 || !(await somethingNew())) return batches;
      }
    },
    async commit(outputs, committed) {
      const allowed = () => member.alive && committed.every((at) => group.owns(member, at));
      await log.write(name, outputs, committed, allowed);
    },
    heldBytes: () => 0,
    async ends() {
      return group.partitionsOf(member).map((at) => ({ ...at, offset: log.end(at) }));
    },
    async close() {
      if (closed) return;
      closed = true;
      if (!member.alive) return await tellLost();
      try {
        await giveUp(group.partitionsOf(member));
      } finally {
        group.remove(member);
      }
    },
  };
}

/** @throws FencedError which says whose partitions they are not */
export function fenced(group: string, positions: readonly StreamPosition[]): FencedError {
  const names = positions.map(partitionName).join(', ') || 'its partitions';
  return new FencedError(`another member of group '${group}' owns ${names} by now; nothing was written`);
}

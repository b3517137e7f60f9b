// Membership by the consumer protocol (KIP-848): the broker assigns, a member tells with each heartbeat what it has, and
// a partition moves only after who had it has said that it is given up. Cooperative by nature.
import { randomUUID } from 'node:crypto';
import { consumerGroupDescribeV0, consumerGroupHeartbeatV1 } from '@platformatic/kafka';
import { FencedError } from '../../lib/errors.ts';
import type { StreamPartition } from '../../ports.ts';
import type { KafkaCluster } from './cluster.ts';
import { isFencing, isRetriable, saysOneOf, translated } from './kafka-errors.ts';
import type { Membership, MembershipOptions } from './membership.ts';
import type { GroupMember } from './transactions.ts';

const JOINING = 0;
const LEAVING = -1;
/** Each topic's partitions are shared evenly; `uniform` counts all topics together, and one member may get all of one. */
const ASSIGNOR = 'range';
const FIRST_INTERVAL_MS = 1000;
const RETRY_MS = 100;
const LOST = ['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'];
/** What the group answers where nobody is left in it, or of the id. */
const NOT_THERE = ['UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND'];

export class ConsumerProtocolMembership implements Membership {
  readonly #cluster: KafkaCluster;
  readonly #options: MembershipOptions;
  #memberId: string;
  #epoch = JOINING;
  #target: readonly StreamPartition[] | null = null;
  #owned: readonly StreamPartition[] = [];
  #intervalMs = FIRST_INTERVAL_MS;
  #timer: NodeJS.Timeout | null = null;
  /** Heartbeats and sent offsets one after the other: an offset must not meet a newer epoch. */
  #turn: Promise<unknown> = Promise.resolve();
  #lost = false;
  #refusal: Error | null = null;
  #attendedMs = Date.now();
  #beating = false;
  #left = false;

  constructor(cluster: KafkaCluster, options: MembershipOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#memberId = options.name?.newId() ?? randomUUID();
  }

  get target(): readonly StreamPartition[] | null {
    return this.#target;
  }

  async attend(): Promise<boolean> {
    this.#attendedMs = Date.now();
    if (this.#refusal !== null) throw this.#refusal;
    const lost = this.#lost;
    this.#lost = false;
    if (lost || (this.#epoch === JOINING && this.#timer === null && !this.#beating)) this.#beatSoon(0);
    return lost;
  }

  async own(partitions: readonly StreamPartition[]): Promise<void> {
    this.#owned = partitions;
    await this.#beat();
  }

  async asMember(send: (member: GroupMember) => Promise<void>): Promise<void> {
    const attempt = () =>
      this.#inTurn(() => {
        // Lost and joined again, the new epoch would let pass what is somebody else's: first the loss has to be told.
        if (this.#lost || this.#epoch === JOINING)
          throw new FencedError('The group does not know this member any more');
        return send({ group: this.#options.group, memberId: this.#memberId, generation: this.#epoch });
      });
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      // The epoch may have risen while nothing of ours was taken; a heartbeat tells.
      await this.#beat();
      await attempt();
    }
  }

  abandon(): void {
    if (this.#lost || this.#epoch === JOINING) return;
    this.#inTurn(() => this.#send(LEAVING)).catch(() => {});
    this.#lose();
  }

  async leave(): Promise<void> {
    this.#left = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#epoch === JOINING) return;
    await this.#inTurn(() => this.#send(LEAVING)).catch(() => {});
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #beatSoon(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#left || this.#cluster.closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#beating = true;
      this.#beat().finally(() => {
        this.#beating = false;
        if (this.#timer !== null || this.#refusal !== null || this.#left) return;
        this.#beatSoon(this.#epoch === JOINING ? RETRY_MS : this.#intervalMs);
      });
    }, afterMs);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    if (this.#left || this.#lost) return;
    const silentMs = Date.now() - this.#attendedMs;
    if (silentMs > this.#options.maxPollIntervalMs && this.#epoch !== JOINING) {
      await this.#inTurn(() => this.#send(LEAVING)).catch(() => {});
      this.#lose();
      return;
    }
    if (silentMs > this.#options.maxPollIntervalMs) return;
    try {
      await this.#inTurn(() => this.#send(this.#epoch));
    } catch (error) {
      this.#cluster.learnFrom(error);
      if (saysOneOf(error, LOST) || isFencing(error)) this.#lose();
      else if (!isRetriable(error)) {
        this.#refusal = translated(`Joining group ${this.#options.group}`, error);
        this.#options.changed();
      }
    }
  }

  #lose(): void {
    this.#lost = true;
    this.#epoch = JOINING;
    this.#target = null;
    this.#owned = [];
    this.#memberId = this.#options.name?.newId() ?? randomUUID();
    this.#options.changed();
  }

  /** The group would wait for a sign of them until their session ends. */
  async #putOutForerunners(): Promise<void> {
    const { group, name } = this.#options;
    if (name === null) return;
    const node = await this.#cluster.coordinator('group', group);
    const { groups } = await this.#cluster.askInParts(node, 'group', consumerGroupDescribeV0.api, [group], false);
    for (const { memberId } of groups[0]?.members ?? []) {
      if (!name.isForerunner(memberId, this.#memberId)) continue;
      await this.#send(LEAVING, memberId).catch((error) => {
        if (!saysOneOf(error, NOT_THERE)) throw error;
      });
    }
    name.settle();
  }

  async #send(epoch: number, memberId = this.#memberId): Promise<void> {
    const { group, rebalanceTimeoutMs, topics } = this.#options;
    if (epoch === JOINING) await this.#putOutForerunners();
    const owned = await this.#withIds(epoch === JOINING ? [] : this.#owned);
    const node = await this.#cluster.coordinator('group', group);
    const api = consumerGroupHeartbeatV1.api;
    const who = [group, memberId, epoch, null, null] as const;
    const what = [rebalanceTimeoutMs, [...topics].sort(), null, ASSIGNOR, owned] as const;
    const answer = await this.#cluster.ask(node, 'group', api, ...who, ...what);
    if (epoch === LEAVING) return;
    this.#epoch = answer.memberEpoch;
    this.#intervalMs = answer.heartbeatIntervalMs;
    if (answer.assignment === null) return;
    const target = await this.#withNames(answer.assignment.topicPartitions);
    const before = JSON.stringify(this.#target);
    this.#target = target;
    if (JSON.stringify(target) !== before) this.#options.changed();
  }

  async #withIds(partitions: readonly StreamPartition[]) {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    const result: { topicId: string; partitions: number[] }[] = [];
    for (const [topic, parts] of byTopic) {
      const { topicId } = await this.#cluster.layout(topic);
      result.push({ topicId, partitions: parts.map(({ partition }) => partition) });
    }
    return result;
  }

  async #withNames(assigned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]) {
    const names = new Map<string, string>();
    for (const topic of this.#options.topics) names.set((await this.#cluster.layout(topic)).topicId, topic);
    return assigned.flatMap(({ topicId, partitions }) => {
      const topic = names.get(topicId);
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
    });
  }
}

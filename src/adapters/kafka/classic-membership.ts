// Membership by the classic protocol with cooperative-sticky assignment (KIP-429), for brokers before 4.0: the members
// join in rounds, one of them assigns, and who must give partitions up does so and calls for another round.
import {
  COOPERATIVE_STICKY_ASSIGNOR,
  cooperativeStickyAssigner,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  heartbeatV4,
  joinGroupV8,
  leaveGroupV5,
  syncGroupV5,
} from '@platformatic/kafka';
import { FencedError } from '../../lib/errors.ts';
import type { StreamPartition } from '../../ports.ts';
import type { KafkaCluster, Purpose } from './cluster.ts';
import { answerIn, isFencing, isRetriable, saysOneOf, translated } from './kafka-errors.ts';
import type { Membership, MembershipOptions } from './membership.ts';
import type { GroupMember } from './transactions.ts';

interface JoinedMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

type AssignedPartitions = Parameters<typeof encodeConsumerProtocolAssignment>[0]['assignedPartitions'][number];

const PROTOCOL_TYPE = 'consumer';
const SUBSCRIPTION_VERSION = 3;
const NO_GENERATION = -1;
const HEARTBEATS_A_SESSION = 5;
const REJOIN_PAUSE_MS = 100;
const LOST = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'];

export class ClassicMembership implements Membership {
  readonly #cluster: KafkaCluster;
  readonly #options: MembershipOptions;
  readonly #purpose: Purpose;
  #memberId = '';
  #generation = NO_GENERATION;
  #target: readonly StreamPartition[] | null = null;
  #owned: readonly StreamPartition[] = [];
  #mustJoin = true;
  #joining: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lost = false;
  #refusal: Error | null = null;
  #attendedMs = Date.now();
  #left = false;

  /** @param number of this member in its process: a round keeps its connection busy until all have joined */
  constructor(cluster: KafkaCluster, number: number, options: MembershipOptions) {
    this.#cluster = cluster;
    this.#purpose = `join-${number}`;
    this.#options = options;
  }

  get target(): readonly StreamPartition[] | null {
    return this.#target;
  }

  async attend(): Promise<boolean> {
    this.#attendedMs = Date.now();
    if (this.#refusal !== null) throw this.#refusal;
    const lost = this.#lost;
    this.#lost = false;
    if (this.#mustJoin) this.#join();
    return lost;
  }

  async own(partitions: readonly StreamPartition[]): Promise<void> {
    const kept = new Set(partitions.map(({ topic, partition }) => `${topic}/${partition}`));
    const gaveUp = this.#owned.some(({ topic, partition }) => !kept.has(`${topic}/${partition}`));
    this.#owned = partitions;
    // The others get what was given up in the next round.
    if (gaveUp) {
      this.#mustJoin = true;
      this.#join();
    }
  }

  async asMember(send: (member: GroupMember) => Promise<void>): Promise<void> {
    const attempt = async () => {
      if (this.#lost || this.#generation === NO_GENERATION) {
        throw new FencedError('The group does not know this member any more');
      }
      await send({ group: this.#options.group, memberId: this.#memberId, generation: this.#generation });
    };
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof FencedError) || this.#joining === null) throw error;
      // A round was under way and has ended at the broker; its answer brings the generation that holds now.
      await this.#joining;
      await attempt();
    }
  }

  abandon(): void {
    if (this.#lost) return;
    this.#leave(this.#memberId).catch(() => {});
    this.#lose();
  }

  async leave(): Promise<void> {
    this.#left = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#cluster.hangUp(this.#purpose);
    await this.#leave(this.#memberId).catch(() => {});
  }

  async #leave(memberId: string): Promise<void> {
    if (memberId === '') return;
    const { group } = this.#options;
    const node = await this.#cluster.coordinator('group', group);
    const left = { memberId, groupInstanceId: null, reason: null };
    await this.#cluster.ask(node, 'group', leaveGroupV5.api, group, [left]);
  }

  #join(): void {
    if (this.#joining !== null || this.#left || this.#lost) return;
    this.#mustJoin = false;
    this.#joining = this.#round()
      .catch(async (error) => {
        this.#cluster.learnFrom(error);
        this.#mustJoin = true;
        if (saysOneOf(error, LOST)) this.#lose();
        else if (!isRetriable(error) && !this.#left) {
          this.#refusal = translated(`Joining group ${this.#options.group}`, error);
        }
        await this.#cluster.pause(REJOIN_PAUSE_MS);
      })
      .finally(() => {
        this.#joining = null;
        this.#options.changed();
        this.#beatSoon();
      });
  }

  async #round(): Promise<void> {
    const { group, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const node = await this.#cluster.coordinator('group', group);
    const metadata = encodeConsumerProtocolSubscription({
      version: SUBSCRIPTION_VERSION,
      topics: [...topics].sort(),
      ownedPartitions: byTopic(this.#owned),
      generationId: this.#owned.length > 0 ? this.#generation : NO_GENERATION,
    });
    const protocols = [{ name: COOPERATIVE_STICKY_ASSIGNOR, metadata }];
    const times = [sessionTimeoutMs, rebalanceTimeoutMs] as const;
    const join = () =>
      this.#cluster.ask(
        node,
        this.#purpose,
        joinGroupV8.api,
        group,
        ...times,
        this.#memberId,
        null,
        PROTOCOL_TYPE,
        protocols,
      );
    const joined = await join().catch((error) => {
      // Who joins for the first time is given a name first.
      if (!saysOneOf(error, ['MEMBER_ID_REQUIRED'])) throw error;
      this.#memberId = (answerIn(error) as { readonly memberId: string }).memberId;
      return join();
    });
    this.#memberId = joined.memberId;
    const plan = joined.leader === joined.memberId ? await this.#assign(joined.members) : [];
    const who = [group, joined.generationId, joined.memberId, null, PROTOCOL_TYPE, joined.protocolName] as const;
    const { assignment } = await this.#cluster.ask(node, this.#purpose, syncGroupV5.api, ...who, plan);
    this.#generation = joined.generationId;
    this.#target = assignment.length === 0 ? [] : flat(decodeConsumerProtocolAssignment(assignment).assignedPartitions);
  }

  /** This member's turn to say who gets what. */
  async #assign(members: readonly JoinedMember[]) {
    const subscriptions = new Map(
      members.map(({ memberId, metadata }) => [
        memberId,
        { memberId, ...decodeConsumerProtocolSubscription(metadata) },
      ]),
    );
    const topics = new Set([...subscriptions.values()].flatMap((subscription) => subscription.topics));
    const layouts = await this.#cluster.fetchLayouts([...topics]);
    const sizes = new Map([...layouts].map(([topic, { leaders }]) => [topic, { partitionsCount: leaders.length }]));
    const metadata = { topics: sizes } as unknown as Parameters<typeof cooperativeStickyAssigner>[3];
    const shares = new Map(members.map(({ memberId }) => [memberId, [] as AssignedPartitions[]]));
    // Topic by topic: all counted together, one member may get all of one topic.
    for (const topic of topics) {
      const takers = new Map(
        [...subscriptions]
          .filter(([, subscription]) => subscription.topics.includes(topic))
          .map(([memberId, subscription]) => {
            const ownedPartitions = subscription.ownedPartitions?.filter((owned) => owned.topic === topic);
            return [memberId, { ...subscription, topics: [topic], ownedPartitions }];
          }),
      );
      for (const one of cooperativeStickyAssigner(this.#memberId, takers, new Set([topic]), metadata)) {
        shares.get(one.memberId)?.push(...one.assignments.values());
      }
    }
    return [...shares].map(([memberId, assignedPartitions]) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({ version: SUBSCRIPTION_VERSION, assignedPartitions }),
    }));
  }

  #beatSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#left || this.#cluster.closed) return;
    this.#timer = setTimeout(() => {
      this.#beat().finally(() => this.#beatSoon());
    }, this.#options.sessionTimeoutMs / HEARTBEATS_A_SESSION);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    if (this.#left || this.#lost || this.#joining !== null || this.#generation === NO_GENERATION) return;
    const { group, maxPollIntervalMs } = this.#options;
    if (Date.now() - this.#attendedMs > maxPollIntervalMs) {
      this.#lose();
      return;
    }
    try {
      const node = await this.#cluster.coordinator('group', group);
      await this.#cluster.ask(node, 'group', heartbeatV4.api, group, this.#generation, this.#memberId, null);
    } catch (error) {
      this.#cluster.learnFrom(error);
      // A round that began meanwhile has given a newer generation than the one that was asked about.
      if (this.#joining !== null) return;
      if (saysOneOf(error, ['REBALANCE_IN_PROGRESS'])) {
        this.#mustJoin = true;
        this.#options.changed();
      } else if (isFencing(error)) this.#lose();
    }
  }

  #lose(): void {
    this.#lost = true;
    this.#mustJoin = true;
    this.#memberId = '';
    this.#generation = NO_GENERATION;
    this.#target = null;
    this.#owned = [];
    this.#options.changed();
  }
}

function byTopic(partitions: readonly StreamPartition[]) {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, parts]) => ({
    topic,
    partitions: parts.map(({ partition }) => partition),
  }));
}

function flat(assigned: readonly { readonly topic: string; readonly partitions: readonly number[] }[]) {
  return assigned.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

// The brokers as one thing to ask: connections by broker and purpose, who leads which partition, who coordinates which
// group or transactional id, and another try with back-off where trying again helps.
//
// Built on the connection, the SASL mechanisms and the request codecs of @platformatic/kafka, not on its Consumer and
// Producer (docs/decisions/0018-kafka-client.md). Request versions are those that every broker from 3.2 to 4.4 knows;
// what is newer is used where the broker says that it has it (`features`).
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import {
  type API,
  apiVersionsV3,
  Connection,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
  metadataV12,
} from '@platformatic/kafka';
import { InputError, StreamUnavailableError } from '../../lib/errors.ts';
import { answerIn, isRetriable, saysOneOf, translated } from './kafka-errors.ts';

export type SaslOptions =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  /** Asked for a token whenever a connection is opened or has to prove itself anew. */
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: () => string | Promise<string> };

/** PEM texts; authorities that are left out are those of the system. */
export interface TlsFiles {
  readonly authorities: string | null;
  /** Both for mutual TLS. */
  readonly certificate: string | null;
  readonly key: string | null;
}

export interface ClusterOptions {
  /** host:port of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Shown in the brokers' logs and quotas. */
  readonly clientId: string;
  readonly tls: TlsFiles | null;
  readonly sasl: SaslOptions | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long one call goes on trying before it is StreamUnavailableError. */
  readonly retryForMs: number;
}

export interface TopicLayout {
  readonly topicId: string;
  /** Broker id of the leader of each partition, -1 where there is none at the moment. */
  readonly leaders: readonly number[];
  readonly replicas: number;
}

export interface BrokerFeatures {
  /** The consumer protocol of KIP-848, in version 1 (Kafka 4.0). */
  readonly consumerProtocol: boolean;
  /** Transactions whose producer gets a new epoch each time (KIP-890, Kafka 4.0). */
  readonly transactions2: boolean;
}

/** Requests that may take long have connections of their own: a broker answers one connection in order. */
export type Purpose =
  | ('ask' | 'produce' | 'group')
  | (`join-${number}` | `fetch-${number}` | `read-${number}` | `tail-${number}`);

interface Address {
  readonly host: string;
  readonly port: number;
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
/** What a broker may take to answer a request that waits for other members of a group. */
const JOIN_TIMEOUT_MS = 120_000;
const LAYOUT_AGE_MS = 60_000;
const MAX_TOPICS = 10_000;
const STALE = ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION', 'FENCED_LEADER_EPOCH'];
const MOVED = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'];

export class KafkaCluster {
  readonly #options: ClusterOptions;
  readonly #bootstrap: readonly Address[];
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #addresses = new Map<number, Address>();
  readonly #layouts = new Map<string, TopicLayout & { readonly atMs: number }>();
  readonly #coordinators = new Map<string, number>();
  #features: BrokerFeatures | null = null;
  #controller = -1;
  readonly #closing = new AbortController();

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#bootstrap = options.brokers.map(parseAddress);
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Sends one request; the answer, or the library's error. */
  async ask<Arguments extends unknown[], Answer>(
    node: number,
    purpose: Purpose,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    const connection = await this.#connection(node, purpose);
    return api.async(connection, ...args);
  }

  /** The same, where an answer with errors of single partitions or topics in it is an answer too. */
  async askInParts<Arguments extends unknown[], Answer>(
    node: number,
    purpose: Purpose,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    try {
      return await this.ask(node, purpose, api, ...args);
    } catch (error) {
      const answer = answerIn(error);
      if (answer === undefined) throw error;
      return answer as Answer;
    }
  }

  /**
   * Tries until it works, with growing pauses, for at most `retryForMs`.
   *
   * @throws StreamUnavailableError, FencedError or InputError
   */
  async retrying<Answer>(
    what: string,
    attempt: () => Promise<Answer>,
    limitMs: number = this.#options.retryForMs,
  ): Promise<Answer> {
    const untilMs = Date.now() + limitMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      if (this.closed) throw new StreamUnavailableError(`${what}: the log has been closed`);
      try {
        return await attempt();
      } catch (error) {
        this.learnFrom(error);
        const quick = saysOneOf(error, ['CONCURRENT_TRANSACTIONS']);
        const nextMs = quick ? FIRST_PAUSE_MS : pauseMs * (0.75 + Math.random() / 2);
        if (!isRetriable(error) || Date.now() + nextMs > untilMs) throw translated(what, error);
        await this.pause(nextMs);
      }
    }
  }

  /** Ends early when the log is closed. */
  async pause(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.#closing.signal, ref: true }).catch(() => {});
  }

  /** Forgets what an error proves wrong: leaders and coordinators that have moved, brokers that are gone. */
  learnFrom(error: unknown): void {
    if (saysOneOf(error, STALE)) this.#layouts.clear();
    if (saysOneOf(error, MOVED)) this.#coordinators.clear();
    if (isRetriable(error) && answerIn(error) === undefined) {
      this.#layouts.clear();
      this.#coordinators.clear();
    }
  }

  async features(): Promise<BrokerFeatures> {
    if (this.#features !== null) return this.#features;
    const answer = await this.retrying('Asking what the brokers can do', async () =>
      this.ask(await this.#anyNode(), 'ask', apiVersionsV3.api, 'centinela', '1'),
    );
    const highest = (name: string) => answer.apiKeys.find((api) => api.name === name)?.maxVersion ?? -1;
    const level = (name: string) => answer.finalizedFeatures?.find((one) => one.name === name)?.maxVersionLevel ?? 0;
    this.#features = {
      consumerProtocol: highest('ConsumerGroupHeartbeat') >= 1 && level('group.version') >= 1,
      transactions2: highest('EndTxn') >= 5 && level('transaction.version') >= 2,
    };
    return this.#features;
  }

  /** @param names null for all topics @throws library errors; topics that are not there are left out */
  async fetchLayouts(names: readonly string[] | null): Promise<Map<string, TopicLayout>> {
    const answer = await this.askInParts(
      await this.#anyNode(),
      'ask',
      metadataV12.api,
      names === null ? null : [...names],
      false,
      false,
    );
    for (const { nodeId, host, port } of answer.brokers) this.#addresses.set(nodeId, { host, port });
    this.#controller = answer.controllerId;
    const layouts = new Map<string, TopicLayout>();
    if (this.#layouts.size > MAX_TOPICS) this.#layouts.clear();
    for (const topic of answer.topics) {
      // Error 5 is a partition without a leader for now; other errors leave no partitions.
      if (!topic.name || topic.partitions.length === 0) continue;
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId, errorCode } of topic.partitions) {
        leaders[partitionIndex] = errorCode === 0 ? leaderId : -1;
      }
      const replicas = topic.partitions[0]?.replicaNodes.length ?? 1;
      const layout = { topicId: topic.topicId, leaders, replicas };
      layouts.set(topic.name, layout);
      this.#layouts.set(topic.name, { ...layout, atMs: Date.now() });
    }
    return layouts;
  }

  /** @throws library errors, InputError where there is no such topic */
  async layout(topic: string): Promise<TopicLayout> {
    const known = this.#layouts.get(topic);
    if (known !== undefined && Date.now() - known.atMs < LAYOUT_AGE_MS) return known;
    const found = (await this.fetchLayouts([topic])).get(topic);
    if (found === undefined) throw topicMissing(topic);
    return found;
  }

  /** The broker to ask about a partition. @throws library errors, InputError where there is no such partition */
  async leader(topic: string, partition: number): Promise<number> {
    const layout = await this.layout(topic);
    const leader = layout.leaders[partition];
    if (leader === undefined) {
      throw new InputError(
        'PARTITION_MISSING',
        `Topic ${topic} has no partition ${partition}`,
        `It has 0 to ${layout.leaders.length - 1}`,
      );
    }
    if (leader >= 0) return leader;
    this.#layouts.delete(topic);
    throw Object.assign(new Error(`${topic}/${partition} has no leader at the moment`), {
      apiId: 'LEADER_NOT_AVAILABLE',
    });
  }

  async coordinator(kind: 'group' | 'transaction', id: string): Promise<number> {
    const key = `${kind} ${id}`;
    const known = this.#coordinators.get(key);
    if (known !== undefined) return known;
    const type = kind === 'group' ? FindCoordinatorKeyTypes.GROUP : FindCoordinatorKeyTypes.TRANSACTION;
    const answer = await this.ask(await this.#anyNode(), 'ask', findCoordinatorV4.api, type, [id]);
    const found = answer.coordinators[0];
    this.#addresses.set(found.nodeId, { host: found.host, port: found.port });
    this.#coordinators.set(key, found.nodeId);
    return found.nodeId;
  }

  /** Any broker takes what is meant for the controller and passes it on. */
  async controller(): Promise<number> {
    return this.#controller >= 0 && this.#addresses.has(this.#controller) ? this.#controller : this.#anyNode();
  }

  /** Ends a connection that waits for something nobody wants any more. */
  hangUp(purpose: Purpose): void {
    for (const [key, opening] of this.#connections) {
      if (!key.startsWith(`${purpose} `)) continue;
      this.#connections.delete(key);
      opening.then((connection) => connection.close(() => {})).catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const all = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(
      all.map((opening) =>
        opening.then((connection) => new Promise<void>((resolve) => connection.close(() => resolve()))).catch(() => {}),
      ),
    );
  }

  async #anyNode(): Promise<number> {
    for (const key of this.#connections.keys()) {
      const node = Number(key.split(' ')[1]);
      if (key.startsWith('ask ') && (this.#addresses.has(node) || node < 0)) return node;
    }
    return this.#someBootstrapNode();
  }

  /** Bootstrap brokers are known by negative numbers until their ids are. */
  async #someBootstrapNode(): Promise<number> {
    let last: unknown;
    const known = [...this.#addresses.keys()];
    for (const node of [...this.#bootstrap.map((_, index) => -1 - index), ...known]) {
      try {
        await this.#connection(node, 'ask');
        return node;
      } catch (error) {
        last = error;
        if (!isRetriable(error)) throw error;
      }
    }
    throw last;
  }

  #connection(node: number, purpose: Purpose): Promise<Connection> {
    const key = `${purpose} ${node}`;
    const existing = this.#connections.get(key);
    if (existing !== undefined) return existing;
    const address = node < 0 ? this.#bootstrap[-1 - node] : this.#addresses.get(node);
    if (address === undefined) {
      return Promise.reject(Object.assign(new Error(`broker ${node} is not known`), { apiId: 'BROKER_NOT_AVAILABLE' }));
    }
    const opening = this.#open(address, purpose);
    this.#connections.set(key, opening);
    const forget = () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    };
    opening.then((connection) => connection.once('close', forget).once('error', forget), forget);
    return opening;
  }

  #open({ host, port }: Address, purpose: Purpose): Promise<Connection> {
    if (this.closed) return Promise.reject(new StreamUnavailableError('The log has been closed'));
    const { tls, sasl, clientId, connectTimeoutMs, requestTimeoutMs } = this.#options;
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: purpose.startsWith('join-') ? JOIN_TIMEOUT_MS : requestTimeoutMs,
      ...(tls !== null && { tls: nodeTls(tls), tlsServerName: isIP(host) === 0 }),
      ...(sasl !== null && { sasl }),
    });
    // Whoever waits for an answer is told by it.
    connection.on('error', () => {});
    return new Promise((resolve, reject) => {
      connection.connect(host, port, (error) => {
        if (error) reject(error);
        else if (this.closed) connection.close(() => reject(new StreamUnavailableError('The log has been closed')));
        else resolve(connection);
      });
    });
  }
}

function nodeTls({ authorities, certificate, key }: TlsFiles): TlsOptions {
  return {
    ...(authorities !== null && { ca: authorities }),
    ...(certificate !== null && { cert: certificate }),
    ...(key !== null && { key }),
    minVersion: 'TLSv1.2',
  };
}

export const topicMissing = (topic: string) =>
  new InputError('TOPIC_MISSING', `There is no topic ${topic}`, 'Make it with: centinela topics apply');

/** @throws InputError for anything but host:port */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new InputError('BROKER_ADDRESS', `'${text}' is no address of a broker`, 'Write host:port');
  }
  return { host: match[1] ?? match[2], port };
}

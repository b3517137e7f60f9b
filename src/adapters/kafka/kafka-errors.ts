// What the client library's errors mean for us: worth another try, fenced, or to be told.
import { FencedError, InputError, StreamUnavailableError } from '../../lib/errors.ts';

interface LibraryError extends Error {
  readonly code?: string;
  /** NOT_LEADER_OR_FOLLOWER … for errors that a broker answered. */
  readonly apiId?: string;
  readonly errors?: readonly LibraryError[];
  readonly response?: unknown;
  readonly serverErrorMessage?: string | null;
}

/** Somebody else acts for us: another member owns the partition, or another producer has our transactional id. */
const FENCED = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_MEMBER_EPOCH',
  'FENCED_INSTANCE_ID',
  'STALE_MEMBER_EPOCH',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'TRANSACTION_ABORTABLE',
]);

const RETRIABLE = new Set([
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'THROTTLING_QUOTA_EXCEEDED',
  'REBALANCE_IN_PROGRESS',
  'OPERATION_NOT_ATTEMPTED',
]);

function* family(error: unknown, depth = 0): Generator<LibraryError> {
  if (!(error instanceof Error) || depth > 5) return;
  const one = error as LibraryError;
  yield one;
  for (const inner of one.errors ?? []) yield* family(inner, depth + 1);
  yield* family(one.cause, depth + 1);
}

/** Names of what brokers answered, `NOT_COORDINATOR` and the like. */
export function brokerErrors(error: unknown): string[] {
  return [...family(error)].map(({ apiId }) => apiId).filter((id) => id !== undefined);
}

export const saysOneOf = (error: unknown, names: ReadonlySet<string> | readonly string[]) =>
  brokerErrors(error).some((name) =>
    names instanceof Set ? names.has(name) : (names as readonly string[]).includes(name),
  );

export const isFencing = (error: unknown) => saysOneOf(error, FENCED);

/** The answer that came with an error: brokers report partition by partition. */
export function answerIn(error: unknown): unknown {
  for (const { response } of family(error)) if (response !== undefined) return response;
  return undefined;
}

const NETWORK = new Set(['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
const REFUSED = new Set(['PLT_KFK_AUTHENTICATION', 'PLT_KFK_USER', 'PLT_KFK_UNSUPPORTED_API']);

export function isRetriable(error: unknown): boolean {
  const all = [...family(error)];
  if (all.some((one) => one instanceof InputError)) return false;
  if (all.some(({ code, message }) => REFUSED.has(code ?? '') || isTlsRefusal(code, message))) return false;
  const answered = all.map(({ apiId }) => apiId).filter((id) => id !== undefined);
  if (answered.length > 0) return answered.every((id) => RETRIABLE.has(id));
  return all.some(({ code }) => NETWORK.has(code ?? ''));
}

function isTlsRefusal(code: string | undefined, message: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code ?? '') ||
    message.includes('TLS handshake failed')
  );
}

/** In words, with what the broker said. */
export function wordsOf(error: unknown): string {
  const words = [...family(error)].map(({ apiId, serverErrorMessage, message }) =>
    apiId === undefined ? message : `${apiId}${serverErrorMessage ? ` (${serverErrorMessage})` : ''}`,
  );
  return [...new Set(words)].slice(0, 4).join(': ') || String(error);
}

/** What a caller of the port gets for it. */
export function translated(what: string, error: unknown): Error {
  for (const one of family(error)) {
    const told = [FencedError, StreamUnavailableError, InputError].some((kind) => one instanceof kind);
    if (told) return one;
  }
  if (isFencing(error)) return new FencedError(`${what}: ${wordsOf(error)}`, { cause: error });
  if (isRetriable(error)) return new StreamUnavailableError(`${what}: ${wordsOf(error)}`, { cause: error });
  const answered = brokerErrors(error);
  const hint = answered.some((id) => id.endsWith('AUTHORIZATION_FAILED'))
    ? 'Give the user the rights that docs/kafka.md lists'
    : 'Check the address, the credentials, the certificates and the topics';
  return new InputError('KAFKA_REFUSED', `${what}: ${wordsOf(error)}`, hint);
}

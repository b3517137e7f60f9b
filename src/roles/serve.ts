// The service role: the HTTP interface over the stream and the records, put together; it serves until it is told to stop.
//
// Stopping is in order: it says that it is not ready, takes nothing new, answers what it has, and only then lets go of what
// the answers came from.
import type { Transaction } from '../domain/transaction.ts';
import { type AppLimits, type AppTls, createApp } from '../http/app.ts';
import { createChangeRunner, forgetExpiredKeys } from '../http/changes.ts';
import type { Authenticate } from '../http/guard.ts';
import type { IdentityProvider } from '../identity/provider-claims.ts';
import type { ThreadEntry } from '../jobs/detect/second-thread.ts';
import { LiveFeed } from '../jobs/live/live-feed.ts';
import type { LiveLists } from '../jobs/stream/live-lists.ts';
import { watchVersions } from '../jobs/stream/watched-versions.ts';
import type { RecordDecoders } from '../pipeline/stream/partition-fold.ts';
import { openSyncScoring, type SyncScoring, type SyncScoringSettings } from '../pipeline/stream/sync-scoring.ts';
import type { TopicNames } from '../pipeline/stream/topics.ts';
import type { MasterKeys, StreamLog } from '../ports.ts';
import { endedBefore } from '../privacy/retention.ts';
import { lockAudit } from '../records/audit/append.ts';
import type { Identity } from '../records/identity/identity.ts';
import { heldSubjects } from '../records/keys/legal-holds.ts';
import type { RecordStore } from '../records/record-store.ts';
import { readRetentionMonths } from '../records/settings/retention-settings.ts';
import type { Logger } from '../telemetry/logger.ts';
import { startOpsServer } from '../telemetry/ops-server.ts';
import { httpMetrics } from './http-metrics.ts';
import { followAlertSettings } from './service/alert-settings.ts';
import { startAlerts } from './service/alerts.ts';
import { type AssignmentSettings, startAssignment } from './service/assignment.ts';
import { type BookPlace, type BookThreads, listStates, openBooks, openLiveLists } from './service/books.ts';
import { type ArchivePlace, startArchive } from './service/decision-archive.ts';
import { followErasedLists } from './service/erased-lists.ts';
import { after, every } from './service/every.ts';
import { evidencePacker, startEvidence } from './service/evidence.ts';
import { gatheredAppends } from './service/gathered-appends.ts';
import { serviceHandlers } from './service/handlers.ts';
import { startLabels } from './service/labels.ts';
import { type FirstVersion, liveState, type OwnVersions } from './service/live-state.ts';
import { startModelChanges } from './service/model-changes.ts';
import { type NotificationPlace, startNotifications } from './service/notifications.ts';
import { pacedLog } from './service/paced-log.ts';
import { startReplays } from './service/replays.ts';
import { startRetention } from './service/retention.ts';
import { openingDecoders, sealedRecord, sealedValue } from './service/sealed-values.ts';
import { followSignedHead, type SignedHead } from './service/signed-head.ts';
import { openVault, type Vault, type VaultOptions } from './service/vault.ts';
import { serviceMetrics } from './service-metrics.ts';
import { type RunningWorker, startWorker, type WorkerRole } from './worker.ts';

export interface ServeRole {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly records: RecordStore;
  readonly masters: MasterKeys;
  readonly archive: ArchivePlace;
  readonly notifications: NotificationPlace;
  readonly books: BookPlace;
  /** People log in there; null where they do here alone. */
  readonly provider: IdentityProvider | null;
  /** What the provider's groups mean, whom certificates stand for, who needs one-time codes. */
  readonly identity?: VaultOptions['identity'];
  /** How cases that nobody takes are shared out; people take them themselves where it is left out. */
  readonly assignment?: AssignmentSettings | null;
  /**
   * Decides in this process; null where workers of their own do.
   *
   * @param decoders that open what is sealed
   * @param lists of the books
   */
  readonly worker: ((decoders: RecordDecoders, lists: LiveLists) => Promise<OwnWorker>) | null;
  /** What decides before the first change. */
  readonly first: FirstVersion;
  /** Performs replays. */
  readonly replayThread: ThreadEntry;
  readonly bookThreads: BookThreads;
  /** How transactions come in, in clear. */
  readonly decoders: RecordDecoders;
  /** @throws InputError */
  readonly readTransaction: (value: unknown) => Transaction;
  readonly http: HttpPlace;
  /** Where operators ask; null for nowhere. */
  readonly ops: { readonly host: string; readonly port: number } | null;
  /** Within which a decision is waited for where the caller says nothing. */
  readonly deadlineMs: number;
  readonly scoring?: Partial<SyncScoringSettings>;
  readonly version: string;
  readonly logger: Logger;
}

type OwnWorker = Omit<WorkerRole, 'log' | 'topics' | 'logger' | 'ops' | 'masters' | 'evidence' | 'addressToken'> & {
  /** SHA-256 of a stored model; null where there is no such model. */
  readonly modelHash: (id: string) => Promise<string | null>;
};

export interface HttpPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: AppTls | null;
  readonly trustedProxies: readonly string[];
  readonly limits?: Partial<AppLimits>;
}

export interface RunningService {
  /** `https://127.0.0.1:8443` */
  readonly address: string;
  readonly opsPort: number | null;
  /** For the command line of the machine. */
  readonly identity: Identity;
  isReady(): boolean;
  stop(): Promise<void>;
  /** Rejects where what it cannot do without has ended by itself. */
  readonly failed: Promise<never>;
}

const STUCK_AFTER_MS = 120_000;
const PULSE_MS = 1000;
/** Alerts are there and decisions are archived so much later. */
const REST_MS = 100;
/** Between two appends of what is asked for: what comes meanwhile is written, decided and made durable together. */
const SPACING_MS = 4;
const FORGET_KEYS_MS = 600_000;
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export async function startService(role: ServeRole): Promise<RunningService> {
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await startParts(role, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function startParts(
  role: ServeRole,
  closers: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<RunningService> {
  const { log, topics, logger, http } = role;
  const serviceFigures = serviceMetrics(role.worker === null);
  const records = serviceFigures.measured(role.records);
  const onTrouble = ({ message }: Error) => logger.warn({ message }, 'will be tried again');
  const vault = await openVault({
    ...{ records, masters: role.masters, provider: role.provider, logger, nowMs: Date.now },
    ...(role.identity !== undefined && { identity: role.identity }),
  });
  closers.push(() => vault.close());
  const signed = await followSignedHead(records, onTrouble);
  closers.push(async () => signed.close());
  const own = await startOwnWorker(role, vault, signed.current);
  const worker = own?.worker ?? null;
  if (worker !== null) closers.push(() => stopWorker(worker));
  const decoders = openingDecoders(vault.codec, vault.keys, role.decoders);
  const deciding = liveState(role.first, own, { log, topics, decoders });
  const told = await startNotifications(records, vault, role.notifications, logger);
  closers.push(() => told.close());
  const settings = await followAlertSettings(records, onTrouble);
  closers.push(async () => settings.close());
  const slow = pacedLog(log, REST_MS);
  const alerts = startAlerts({
    ...{ log: slow, topic: topics.alerts, records, vault, logger, tell: told.tell, settings: settings.current },
  });
  closers.push(() => alerts.close());
  const { assignment } = role;
  if (assignment != null) {
    const stopSharing = startAssignment({ records, vault, assignment, logger, settings: settings.current });
    closers.push(async () => stopSharing());
  }
  const archive = await startArchive(slow, topics.decisions, role.archive, logger, {
    isAnyHeld: async () => (await heldSubjects(records.db, Date.now())).size > 0,
    keptSince: async (nowMs) => endedBefore('decisions', nowMs, (await readRetentionMonths(records.db)).settings),
  });
  closers.push(() => archive.close());
  const books = openBooks({
    place: role.books,
    threads: role.bookThreads,
    records,
    vault,
    log,
    topic: topics.control,
    logger,
  });
  closers.push(() => books.close());
  await books.start();
  const { store: objects } = role.archive;
  const rounds = { lists: books.forgetting, settings: settings.current, told: serviceFigures.retained };
  closers.push(startRetention({ records, objects, vault, logger, ...rounds }));
  const { decisions } = archive;
  const stopLabels = startLabels({ ...role, objects: role.archive.store, vault, decisions });
  closers.push(stopLabels);
  const evidence = startEvidence({ log: slow, topic: topics.evidence, objects: role.archive.store, logger });
  closers.push(() => evidence.close());
  const replays = startReplays({
    ...{ records, vault, log, topic: topics.transactions, decoders, thread: role.replayThread, onTrouble },
    ...{ live: deciding.decider, lists: () => listStates(role.books, vault) },
  });
  closers.push(() => replays.stop());
  const changes = startModelChanges({ records, vault, log, topic: topics.control }, onTrouble);
  closers.push(() => changes.close());
  const scoring = await openScoring(role, vault);
  closers.push(() => scoring.scoring.close());
  const live = new LiveFeed({ log, topics, onTrouble, sleep });
  const erasedLists = followErasedLists({ records, vault, lists: books.lists, onTrouble });
  closers.push(() => erasedLists.close());
  let isStopping = false;
  const isReady = () => !isStopping && (worker?.isReady() ?? true);
  const pulse = startPulse();
  closers.push(async () => pulse.stop());
  closers.push(async () => stopForgetting());
  const stopForgetting = every(FORGET_KEYS_MS, () => forgetExpiredKeys(records, Date.now()), onTrouble);
  const metrics = httpMetrics(() => scoring.scoring.waiting);
  const system = { isAlive: pulse.isAlive, isReady, version: role.version };
  const handlers = serviceHandlers(role, {
    ...{ records, vault, settings, told, books, archive, evidence, deciding, changes, replays, erasedLists, live },
    ...{ score: scoring.score, system, loggedIn: serviceFigures.loggedIn },
  });
  const app = await createApp({
    ...{ handlers, logger, tls: http.tls, trustedProxies: http.trustedProxies, nowMs: Date.now },
    ...{ authenticate: authenticator(vault.identity), observe: metrics.observe },
    view: (view) => vault.trail.view(view),
    ...(http.limits !== undefined && { limits: http.limits }),
    change: createChangeRunner({ records, begin: lockAudit, record: (tx, drafts) => vault.trail.append(tx, drafts) }),
  });
  closers.push(() => app.close());
  // Before: who watches would keep the server from closing.
  closers.push(() => live.close());
  serviceFigures.watch({
    ...{ records, alerts: alerts.counts, archive, nowMs: Date.now },
    ...{ notifications: () => told.notifier.counters(), audit: () => vault.trail.counts() },
  });
  const metricsText = async () => `${(await worker?.metrics()) ?? ''}${await serviceFigures.text()}\n${metrics.text()}`;
  const answers = { metrics: metricsText, metricsType: METRICS_TYPE, isAlive: pulse.isAlive, isReady };
  const ops = role.ops === null ? null : await startOpsServer(role.ops.host, role.ops.port, answers);
  if (ops !== null) closers.push(() => ops.close());
  const address = await app.listen({ host: http.host, port: http.port });
  logger.info({ address, opsPort: ops?.port ?? null }, 'serving');
  const failed = worker === null ? new Promise<never>(() => undefined) : endsByItself(worker.done, () => isStopping);
  failed.catch(() => undefined);
  return {
    ...{ address, opsPort: ops?.port ?? null, identity: vault.identity, isReady, failed },
    async stop() {
      isStopping = true;
      await closeAll();
      logger.info('stopped');
    },
  };
}

async function startOwnWorker(
  { worker, log, topics, logger, masters, decoders, archive, version, books }: ServeRole,
  vault: Vault,
  signedHead: SignedHead['current'],
): Promise<(OwnVersions & { readonly worker: RunningWorker }) | null> {
  if (worker === null) return null;
  const decoding = openingDecoders(vault.codec, vault.keys, decoders);
  const { modelHash, ...own } = await worker(decoding, openLiveLists(books, vault));
  const packing = { sealing: vault, objects: archive.store, modelHash, signedHead, program: version };
  const evidence = evidencePacker(packing);
  const watched = watchVersions(own.versions);
  const { versions } = watched;
  const addressToken = (address: string) => vault.tokens.address(address);
  const sealing = { masters, evidence, addressToken };
  const running = await startWorker({ ...own, ...sealing, versions, log, topics, logger, ops: null });
  return { worker: running, watched, definitions: own.setup.definitions };
}

async function stopWorker(worker: RunningWorker): Promise<void> {
  worker.stop();
  await worker.done;
}

/** What is asked for is sealed first: the log never holds a personal field in clear. */
async function openScoring({ log, topics, logger, scoring: settings }: ServeRole, { codec }: Vault) {
  const sealed = new WeakMap<Transaction, Uint8Array>();
  const scoring = await openSyncScoring({
    ...{ topics, after },
    log: { tail: (names) => log.tail(names), append: gatheredAppends(log, SPACING_MS, { now, after }) },
    writer: (transaction, topic) => sealedRecord(codec, transaction, sealed.get(transaction)!, topic),
    onTrouble: ({ message }) => logger.warn({ message }, 'decisions are waited for in vain'),
    ...(settings !== undefined && { settings }),
  });
  const score: SyncScoring['score'] = async (transaction, options) => {
    const value = sealedValue(codec, transaction, Date.now());
    sealed.set(transaction, value instanceof Uint8Array ? value : await value);
    return await scoring.score(transaction, options);
  };
  return { scoring, score };
}

function authenticator(identity: Identity): Authenticate {
  return async ({ key, sessionToken, certificate, address }) => {
    if (key !== null) {
      const principal = await identity.principalOfKey(key, address);
      return principal === null ? null : { principal, csrfToken: null };
    }
    if (sessionToken === null) {
      const principal = certificate === null ? null : identity.principalOfCertificate(certificate);
      return principal === null ? null : { principal, csrfToken: null };
    }
    const signedIn = await identity.principalOfSession(sessionToken);
    return signedIn === null ? null : { principal: signedIn.principal, csrfToken: signedIn.csrfToken };
  };
}

function now(): number {
  return performance.now();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether the event loop turns. */
function startPulse() {
  let lastMs = performance.now();
  const timer = setInterval(() => {
    lastMs = performance.now();
  }, PULSE_MS);
  return { isAlive: () => performance.now() - lastMs < STUCK_AFTER_MS, stop: () => clearInterval(timer) };
}

async function endsByItself(done: Promise<void>, isStopping: () => boolean): Promise<never> {
  await done;
  if (isStopping()) return await new Promise<never>(() => undefined);
  throw new Error('the worker has ended by itself');
}

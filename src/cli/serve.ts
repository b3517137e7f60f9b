// `serve`: the HTTP interface with records, identity and audit; decides in the same process unless workers do.
//
// Without anything else everything lies in one folder (--data): the log, the records, objects, keys. In production the log is
// Kafka (--brokers), the records are PostgreSQL (CENTINELA_DATABASE_URL), objects a bucket.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { cachedObjects, folderObjects } from '../adapters/archive/local-objects.ts';
import { decodeClearLabel, decodeControl } from '../adapters/formats/stream-values.ts';
import { clearTransactionOf, decodeClearTransaction } from '../adapters/formats/transaction-value.ts';
import { DEFAULT_OIDC, openOidcProvider } from '../adapters/oidc/oidc-provider.ts';
import { openPglite } from '../adapters/pglite/open-pglite.ts';
import { openPostgres } from '../adapters/postgres/open-postgres.ts';
import { ownCertificate } from '../adapters/tls/own-certificate.ts';
import { readVariable } from '../config/environment.ts';
import { CATALOGUE_NAMES } from '../features/catalogue/choose.ts';
import type { AppTls } from '../http/app.ts';
import { NO_IDENTITY_FILE, readIdentityFile } from '../identity/settings.ts';
import { definitionsOf, streamSetup } from '../jobs/stream/stream-setup.ts';
import { InputError } from '../lib/errors.ts';
import { NO_NOTIFICATIONS, readNotificationSettings } from '../notify/settings.ts';
import type { EvidenceWish } from '../pipeline/evidence/draft.ts';
import { modelHash } from '../pipeline/evidence/model-hash.ts';
import type { MasterKeys } from '../ports.ts';
import { Scrubber } from '../privacy/scrubber.ts';
import { openRecordStore, type RecordStore } from '../records/record-store.ts';
import { loadModel } from '../registry/model-store.ts';
import { type ServeRole, startService } from '../roles/serve.ts';
import { type AssignmentSettings, DEFAULT_ASSIGNMENT } from '../roles/service/assignment.ts';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { collectSeldom } from './collect-seldom.ts';
import { type Command, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsHere } from './detectors-here.ts';
import { MODEL_OPTION, modelOf, RULE_BOOK, readLiveRules } from './live-rules.ts';
import { MASTER_KEYS_OPTION, openMasterKeys } from './master-keys.ts';
import { openObjectStore, openReadyObjectStore } from './object-store.ts';
import { registryOf } from './registry-place.ts';
import { RULES_OPTION } from './rule-files.ts';
import { ruleBookOf } from './rule-options.ts';
import { openStreamLog, STREAM_LOG_OPTIONS, topicsOf } from './stream-log.ts';
import { userCache } from './user-cache.ts';
import { VERSION } from './version.ts';

const PORT = { minimum: 0, maximum: 65_535, whole: true } as const;
const ARCHIVE_CACHE_BYTES = 20e9;
const MOST_CONNECTIONS = 10;

const SERVE_OPTIONS = {
  data: {
    type: 'text',
    value: 'DIR',
    help: 'where all lies that is not put elsewhere: log, records, objects, keys',
    default: 'data',
  },
  ...STREAM_LOG_OPTIONS,
  model: MODEL_OPTION,
  rules: RULES_OPTION,
  registry: {
    type: 'text',
    value: 'PLACE',
    help: 'where rules, lists and models are kept: a folder, or s3://bucket/prefix; DATA/registry when not given',
  },
  objects: {
    type: 'text',
    value: 'PLACE',
    help: 'state, archive and attachments: a folder, or s3://bucket/prefix; DATA/objects when not given',
  },
  'master-keys': {
    ...MASTER_KEYS_OPTION,
    help: `${MASTER_KEYS_OPTION.help}; DATA/keys/master.key, made on the first start, where there is neither`,
  },
  worker: {
    type: 'text',
    help: 'own: decides in this process; none: workers of their own do',
    choices: ['own', 'none'],
    default: 'own',
  },
  host: { type: 'text', help: 'where it listens', default: '127.0.0.1' },
  port: { type: 'number', help: '0 for any free port', default: 8443, ...PORT },
  tls: {
    type: 'text',
    help: 'off: in clear, for a proxy on the same machine that speaks TLS',
    choices: ['on', 'off'],
    default: 'on',
  },
  'tls-cert': {
    type: 'text',
    value: 'FILE',
    help: 'certificate chain, PEM; a self-signed one of our own when not given',
  },
  'tls-key': { type: 'text', value: 'FILE', help: 'its key, PEM' },
  'tls-names': {
    type: 'text',
    value: 'NAMES',
    help: 'names and addresses in our own certificate, with commas',
    default: 'localhost,127.0.0.1',
  },
  'client-authorities': {
    type: 'text',
    value: 'FILE',
    help: "who signs programs' certificates, PEM: they may show one instead of a key",
  },
  'trusted-proxies': { type: 'text', value: 'ADDRESSES', help: 'whose X-Forwarded-For is believed, with commas' },
  'deadline-ms': {
    type: 'number',
    help: 'a decision is waited for so long; then it is decided by the amount alone',
    default: 250,
    minimum: 1,
    maximum: 30_000,
  },
  'ops-host': { type: 'text', help: 'where metrics and health are served', default: '127.0.0.1' },
  'ops-port': { type: 'number', help: '/metrics, /healthz and /readyz; 0 for any free port', default: 9465, ...PORT },
  evidence: {
    type: 'text',
    help: 'of which decisions evidence is kept, to make them again: alerts, all, or none (docs/audit.md)',
    choices: ['alerts', 'all', 'none'],
    default: 'alerts',
  },
  notifications: {
    type: 'text',
    value: 'FILE',
    help: 'channels and routes, YAML (docs/notifications.md); secrets in CENTINELA_SECRET_<NAME>',
  },
  assign: {
    type: 'text',
    help: 'cases that nobody takes go to people who are there: in turn, or to who has fewest; off: people take them',
    choices: ['off', 'round-robin', 'least-loaded'],
    default: 'off',
  },
  identity: {
    type: 'text',
    value: 'FILE',
    help: "identity provider, roles of its groups, programs' certificates, YAML (docs/identity.md); secrets as above",
  },
  'log-level': { type: 'text', help: 'what is logged', choices: LOG_LEVELS, default: 'info' },
} as const satisfies Record<string, OptionSpec>;

export const serveCommand: Command = {
  ...OUTLINES.serve,
  options: SERVE_OPTIONS,
  async run(_, given, context) {
    collectSeldom();
    const data = given.data as string;
    const scrubber = new Scrubber();
    const logger = createLogger(given['log-level'] as LogLevel, (line) => context.log(scrubber.scrub(line)));
    const registry = await registryOf(given, data, (message) => logger.warn(message));
    const isLogOurs = given.log === undefined && given.brokers === undefined;
    const options: OptionValues = { ...given, registry, ...(isLogOurs && { log: join(data, 'log') }) };
    // Asked before the first start makes it: a lost key must not be replaced by a new one.
    const isNew = !existsSync(join(data, 'records'));
    const masters = await openMasters(options, data, isNew);
    const identity = await identityOf(options);
    const [notifications, archive] = [await notificationsOf(options), await archivePlace(options, data)];
    const tls = await tlsOf(options, data, context.nowMs(), logger);
    const decides = await deciding(options, data, context);
    const log = await openStreamLog(options, logger);
    const records = await openRecords(data, logger).catch(async (error: unknown) => {
      await log.close();
      throw error;
    });
    const closeParts = async () => {
      await records.close();
      await log.close();
    };
    const service = await startService({
      ...{ log, topics: topicsOf(options), records, masters, logger, version: VERSION },
      ...identity,
      ...{ assignment: assignmentOf(options), notifications, archive },
      ...decides,
      replayThread: { module: threadModule('replay'), data: options.registry },
      bookThreads: { checkRules: threadModule('check-rules'), readList: threadModule('read-list') },
      decoders: { transaction: decodeClearTransaction, label: decodeClearLabel, control: decodeControl },
      readTransaction: clearTransactionOf,
      http: {
        ...{ host: options.host as string, port: options.port as number, tls },
        trustedProxies: listOf(options['trusted-proxies']),
      },
      ops: { host: options['ops-host'] as string, port: options['ops-port'] as number },
      deadlineMs: options['deadline-ms'] as number,
    }).catch(async (error: unknown) => {
      await closeParts();
      throw error;
    });
    try {
      await tellSetup(service, context.log);
      await Promise.race([service.failed, untilStopped(logger)]);
    } finally {
      await service.stop();
      await closeParts();
    }
  },
};

type Context = Parameters<Command['run']>[2];

/** @throws InputError, KeysUnavailableError */
async function openMasters(options: OptionValues, data: string, isNew: boolean): Promise<MasterKeys> {
  const file = join(data, 'keys', 'master.key');
  if (isNew) await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return (await openMasterKeys(options, { file, mayCreate: isNew }))!;
}

async function openRecords(data: string, logger: Logger): Promise<RecordStore> {
  const url = readVariable('CENTINELA_DATABASE_URL');
  if (url !== null) return await openRecordStore(await openPostgres({ url, maxConnections: MOST_CONNECTIONS }));
  const onRecovery = (text: string) => logger.warn({ text }, 'the records were mended');
  return await openRecordStore(
    await openPglite({ folder: join(data, 'records'), onRecovery, cacheFolder: userCache() }),
  );
}

/** Of a file; nothing is told without one. @throws InputError */
async function notificationsOf(options: OptionValues): Promise<ServeRole['notifications']> {
  const file = options.notifications as string | undefined;
  const settings =
    file === undefined ? NO_NOTIFICATIONS : readNotificationSettings(parse(await readFile(file, 'utf8')));
  return { settings, secret: secretOf };
}

function assignmentOf({ assign }: OptionValues): AssignmentSettings | null {
  return assign === 'round-robin' || assign === 'least-loaded' ? { ...DEFAULT_ASSIGNMENT, method: assign } : null;
}

/** Of a file; people log in here alone without one. @throws InputError, UsageError */
async function identityOf(options: OptionValues): Promise<Pick<ServeRole, 'provider' | 'identity'>> {
  const file = options.identity as string | undefined;
  const { provider, ...identity } =
    file === undefined ? NO_IDENTITY_FILE : readIdentityFile(parse(await readFile(file, 'utf8')));
  if (identity.certificates.length > 0 && options['client-authorities'] === undefined) {
    throw new UsageError("--identity names programs' certificates: say who signs them with --client-authorities FILE");
  }
  if (provider === null) return { provider, identity };
  const clientSecret = provider.clientSecret === null ? null : secretOf(provider.clientSecret);
  const settings = { ...DEFAULT_OIDC, ...provider, clientSecret };
  return { provider: openOidcProvider(settings, { randomBytes, nowMs: Date.now }), identity };
}

/** @throws InputError */
function secretOf(name: string): string {
  const variable = `CENTINELA_SECRET_${name.toUpperCase().replace(/[.-]/g, '_')}`;
  const value = readVariable(variable);
  if (value !== null) return value;
  throw new InputError(
    'SECRET_MISSING',
    `The settings name the secret ${name}, and ${variable} is not set`,
    `Set ${variable}`,
  );
}

async function archivePlace(options: OptionValues, data: string): Promise<ServeRole['archive']> {
  const place = placeOfObjects(options, data);
  const store = await openReadyObjectStore(place);
  const isFolder = !place.includes('://');
  const objects = isFolder
    ? folderObjects(place)
    : await cachedObjects(store, join(data, 'archive-cache'), ARCHIVE_CACHE_BYTES);
  return { store, objects, scratch: join(data, 'archive-work') };
}

function placeOfObjects(options: OptionValues, data: string): string {
  return (options.objects as string | undefined) ?? join(data, 'objects');
}

/** What decides, by rules of files and of the registry's book, and the place where people change them. */
async function deciding(
  options: OptionValues,
  data: string,
  context: Context,
): Promise<Pick<ServeRole, 'books' | 'first' | 'worker'>> {
  const known = detectorsHere();
  const detectors = known.map(({ name }) => name);
  const registry = openObjectStore(options.registry as string);
  const model = await modelOf(options.model, options);
  const catalogue = model === null ? CATALOGUE_NAMES[0] : null;
  const given = options.rules;
  const isBook = given === RULE_BOOK;
  // What the book has in force comes from there, as it is changed; files are beneath.
  const files = isBook || given === 'none' ? [] : (await readLiveRules(given, options, context.nowMs())).rules;
  const inBook = isBook ? await ruleBookOf(options).effectiveAt(context.nowMs()) : { rules: [], overrides: [] };
  const placed = [...files, ...inBook.rules];
  const worker: ServeRole['worker'] = async (decoders, lists) => {
    const { setup, versions } = streamSetup({
      ...{ model, catalogue, decoders },
      rules: { placed, overrides: inBook.overrides, lists: await lists.newest(), detectors },
      loadModel: (id) => loadModel(registry, id, known),
      loadLists: (at) => lists.at(at),
      ...(options.evidence !== 'none' && { evidence: options.evidence as EvidenceWish }),
    });
    const checkpoints = await openReadyObjectStore(`${placeOfObjects(options, data)}/checkpoints`);
    const hashOf = (id: string) => modelHash(registry, id);
    return { setup, versions, stages: null, checkpoints, settings: {}, modelHash: hashOf };
  };
  return {
    books: { store: registry, files, definitions: definitionsOf(model, catalogue), detectors },
    first: { model: model?.id ?? null, rules: { placed, overrides: inBook.overrides } },
    worker: options.worker === 'own' ? worker : null,
  };
}

/** With the same file extension as this file: .ts from the sources, .js from the build. */
function threadModule(name: string): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return new URL(`${name}.worker${extension}`, import.meta.url);
}

/** @throws UsageError, InputError */
async function tlsOf(options: OptionValues, data: string, nowMs: number, logger: Logger): Promise<AppTls | null> {
  const [certFile, keyFile] = [options['tls-cert'], options['tls-key']] as (string | undefined)[];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError('--tls-cert and --tls-key go together');
  if (options.tls === 'off') {
    if (options.host !== '127.0.0.1' && options.host !== '::1' && options.host !== 'localhost') {
      throw new UsageError('--tls off is for a proxy on the same machine: leave --host at 127.0.0.1, or leave TLS on');
    }
    return null;
  }
  const authorities = options['client-authorities'] as string | undefined;
  const clientAuthorities = authorities === undefined ? null : await readFile(authorities, 'utf8');
  if (certFile !== undefined && keyFile !== undefined) {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { cert, key, clientAuthorities };
  }
  const own = await ownCertificate(join(data, 'keys'), listOf(options['tls-names']), nowMs);
  logger.info(
    { file: own.file, fingerprint: own.fingerprint },
    'speaks TLS with a certificate of its own: tell clients to trust it',
  );
  return { cert: own.cert, key: own.key, clientAuthorities };
}

/** The link is for whoever started it, and not for the logs. */
async function tellSetup(
  { identity, address }: Awaited<ReturnType<typeof startService>>,
  tell: (text: string) => void,
): Promise<void> {
  if (!(await identity.needsSetup())) return;
  const { token, expiresMs } = await identity.createSetupLink();
  const until = new Date(expiresMs).toISOString();
  tell(
    `There is no administrator yet. Make the first one until ${until} with this token (POST ${address}/v1/setup, or the page):\n\n  ${token}\n\n`,
  );
}

function untilStopped(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      logger.info({ signal }, 'stopping: what was begun is finished first');
      resolve();
    };
    process.once('SIGTERM', stop).once('SIGINT', stop);
  });
}

function listOf(text: OptionValues[string]): string[] {
  return typeof text === 'string'
    ? text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
    : [];
}

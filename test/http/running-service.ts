// The whole service for tests, with what it has in production but smaller: a log in memory, real records, rules without a
// model, TLS with a certificate of its own; and callers of every role, who log in as people do.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request as send } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderObjects } from '../../src/adapters/archive/local-objects.ts';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { decodeClearLabel, decodeControl } from '../../src/adapters/formats/stream-values.ts';
import { clearTransactionOf, decodeClearTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { ownCertificate } from '../../src/adapters/tls/own-certificate.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../src/features/catalogue/choose.ts';
import type { AppLimits } from '../../src/http/app.ts';
import { PERMISSIONS_OF, type Permission, ROLES, type Role } from '../../src/identity/permissions.ts';
import { userPrincipal } from '../../src/identity/principal.ts';
import { hotp, totpStep } from '../../src/identity/totp.ts';
import { streamSetup } from '../../src/jobs/stream/stream-setup.ts';
import { NO_NOTIFICATIONS } from '../../src/notify/settings.ts';
import { modelHash } from '../../src/pipeline/evidence/model-hash.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import type { StreamLog } from '../../src/ports.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { loadModel as loadStoredModel } from '../../src/registry/model-store.ts';
import { type ServeRole, startService } from '../../src/roles/serve.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of a JSON answer. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all kinds
  readonly json: any;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array;
}

export interface Caller {
  /** What is sent with each request: who is known by it. */
  readonly credentials: Readonly<Record<string, string>>;
  ask(path: string, ask?: Ask): Promise<Reply>;
}

export interface TestService {
  readonly url: string;
  readonly port: number;
  /** Of metrics and health. */
  readonly opsPort: number;
  readonly authority: string;
  readonly folder: string;
  readonly log: StreamLog;
  readonly records: RecordStore;
  /** Lines of the log so far. */
  readonly logged: readonly string[];
  /** Nobody. */
  readonly stranger: Caller;
  /** @param which of several people with the role; the first where it is left out */
  as(role: Role, which?: string): Promise<Caller & { readonly userId: string }>;
  withKey(scopes: readonly Permission[]): Promise<Caller & { readonly key: string }>;
  /** @param certificate of a program, PEM, instead of a key */
  withCertificate(certificate: { readonly cert: string; readonly key: string }): Caller;
  stop(): Promise<void>;
}

/** What a test has otherwise than most. */
export type TestServiceOptions = Partial<
  Pick<ServeRole, 'provider' | 'identity' | 'masters' | 'notifications' | 'assignment' | 'replayThread'>
> & {
  /** One with the topics, which outlives the service; one of its own where it is left out. */
  readonly log?: StreamLog;
  readonly clientAuthorities?: string;
  readonly limits?: Partial<AppLimits>;
  /** Of models and lists; one of its own, empty, where it is left out. */
  readonly registryFolder?: string;
};

const PASSWORD = 'cuatro palabras sin orden 7';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export async function startTestService(records: RecordStore, options: TestServiceOptions = {}): Promise<TestService> {
  const { clientAuthorities = null, limits, registryFolder, log: given, ...parts } = options;
  const folder = mkdtempSync(join(tmpdir(), 'centinela-service-'));
  const models = registryFolder ?? join(folder, 'registry');
  const logged: string[] = [];
  const topics = topicNames();
  const log = given ?? (await openTestLog());
  const own = await ownCertificate(join(folder, 'keys'), ['localhost', '127.0.0.1'], Date.now());
  const { rules: placed } = await readPlacedRules(BUILT_IN_RULES);
  const objects = createFolderObjectStore(join(folder, 'objects'));
  const registry = createFolderObjectStore(models);
  const detectors = detectorsHere().map(({ name }) => name);
  const service = await startService({
    ...{ log, topics, records, provider: null, deadlineMs: 5000, version: '0.0.0' },
    ops: { host: '127.0.0.1', port: 0 },
    masters: new LocalMasterKeys('file', [randomBytes(32)]),
    notifications: options.notifications ?? { settings: NO_NOTIFICATIONS, secret: () => '' },
    archive: { store: objects, objects: folderObjects(join(folder, 'objects')), scratch: join(folder, 'archive-work') },
    books: { store: registry, files: placed, definitions: catalogueNamed(CATALOGUE_NAMES[0]), detectors },
    first: { model: null, rules: { placed, overrides: [] } },
    replayThread: { module: new URL('../../src/cli/replay.worker.ts', import.meta.url), data: models },
    bookThreads: {
      checkRules: new URL('../../src/cli/check-rules.worker.ts', import.meta.url),
      readList: new URL('../../src/cli/read-list.worker.ts', import.meta.url),
    },
    async worker(decoders, lists) {
      const rules = { placed, overrides: [], lists: await lists.newest(), detectors };
      const loadModel = (id: string) => loadStoredModel(registry, id, detectorsHere());
      const setup = streamSetup({
        ...{ model: null, rules, catalogue: CATALOGUE_NAMES[0], decoders, loadModel, evidence: 'alerts' },
        loadLists: (at) => lists.at(at),
      });
      return {
        ...setup,
        stages: null,
        checkpoints: objects,
        settings: {},
        modelHash: (id: string) => modelHash(registry, id),
      };
    },
    decoders: { transaction: decodeClearTransaction, label: decodeClearLabel, control: decodeControl },
    readTransaction: clearTransactionOf,
    http: {
      ...{ host: '127.0.0.1', port: 0, trustedProxies: [] },
      tls: { key: own.key, cert: own.cert, clientAuthorities },
      ...(limits !== undefined && { limits }),
    },
    logger: createLogger('info', (line) => logged.push(line)),
    ...parts,
  });
  const port = Number(new URL(service.address).port);
  const authority = own.cert;
  const agent = new Agent({ keepAlive: true, ca: authority, maxSockets: 64 });
  const agents = [agent];
  const caller = (headers: () => Record<string, string>): Caller => ({
    credentials: headers(),
    ask: (path, ask = {}) =>
      exchange({ agent, host: '127.0.0.1', port, path }, { ...ask, headers: { ...headers(), ...ask.headers } }),
  });
  const stranger = caller(() => ({}));
  const people = new Map<string, Caller & { readonly userId: string }>();
  const administrator = userPrincipal('tests', 'tests', ['administrator']);
  const actor = { principal: administrator, address: null };

  async function logIn(login: string): Promise<{ session: Caller; reply: Reply }> {
    const reply = await stranger.ask('/v1/session', { method: 'POST', body: { login, password: PASSWORD } });
    if (reply.status !== 201) throw new Error(`log-in failed: ${reply.text}`);
    return { session: sessionOf(reply), reply };
  }

  function sessionOf(reply: Reply): Caller {
    const cookie = String(reply.headers['set-cookie']?.[0]).split(';')[0];
    const csrf = (reply.json.session ?? reply.json).csrfToken as string;
    return caller(() => ({ cookie, 'x-csrf-token': csrf }));
  }

  async function makePerson(role: Role, which: string): Promise<Caller & { readonly userId: string }> {
    const login = `persona.${role}${which}`;
    if (await service.identity.needsSetup()) {
      const { token } = await service.identity.createSetupLink();
      const body = { token, login: 'persona.administrator', displayName: 'persona administrator', password: PASSWORD };
      const reply = await stranger.ask('/v1/setup', { method: 'POST', body });
      if (reply.status !== 201) throw new Error(`setup failed: ${reply.text}`);
    }
    if (role !== 'administrator') {
      const details = { login, displayName: `persona ${role}`, email: null, roles: [role] };
      const { invitation } = await service.identity.createUser(actor, details);
      const body = { token: invitation.token, password: PASSWORD };
      await stranger.ask('/v1/invitations:accept', { method: 'POST', body });
    }
    const { session, reply } = await logIn(login);
    const userId = reply.json.user.id as string;
    if (reply.json.mustEnrolTotp !== true) return { ...session, userId };
    const enrolled = await session.ask('/v1/session:enrol-totp', { method: 'POST' });
    const secret = fromBase32(enrolled.json.secret);
    const body = { code: hotp(secret, totpStep(Date.now())) };
    const confirmed = await session.ask('/v1/session:confirm-totp', { method: 'POST', body });
    if (confirmed.status !== 200) throw new Error(`the second factor failed: ${confirmed.text}`);
    return { ...sessionOf(confirmed), userId };
  }

  async function as(role: Role, which = ''): Promise<Caller & { readonly userId: string }> {
    const known = people.get(role + which) ?? (await makePerson(role, which));
    people.set(role + which, known);
    return known;
  }

  return {
    ...{ url: service.address, port, opsPort: service.opsPort!, authority, folder, log, records, logged, stranger },
    as,
    async withKey(scopes) {
      const maker = ROLES.find((role) => scopes.every((scope) => PERMISSIONS_OF[role].includes(scope)));
      await as('administrator');
      const { id } = (await service.identity.listUsers(actor, null, 1)).users[0];
      const principal = { ...userPrincipal(id, 'tests', ['administrator', ...(maker === undefined ? [] : [maker])]) };
      const draft = { name: 'tests', scopes, networks: [], expiresMs: Date.now() + 3_600_000 };
      const { text: key } = await service.identity.createKey({ principal, address: null }, draft);
      return { ...caller(() => ({ authorization: `Bearer ${key}` })), key };
    },
    withCertificate({ cert, key }) {
      const own = new Agent({ keepAlive: true, ca: authority, cert, key });
      agents.push(own);
      return {
        credentials: {},
        ask: (path, ask = {}) => exchange({ agent: own, host: '127.0.0.1', port, path }, ask),
      };
    },
    async stop() {
      for (const each of agents) each.destroy();
      await service.stop();
      if (given === undefined) await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function openTestLog(): Promise<StreamLog> {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const log = createMemoryLog({ now: Date.now, sleep, maxRecords: 100_000 });
  await log.createTopics(topicSettings(topicNames(), 1, 1));
  return log;
}

/** Until it is there: what follows the stream comes a moment after the decision. */
export async function eventually<T>(look: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come');
}

export function exchange(options: RequestOptions, { method = 'GET', body, raw, headers = {} }: Ask): Promise<Reply> {
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const type =
    content === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) };
  return new Promise((resolve, reject) => {
    const outgoing = send({ ...options, method, headers: { ...type, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      const { statusCode: status = 0, headers: told } = incoming;
      if (told['content-type']?.startsWith('text/event-stream') === true) {
        // It has no end: what comes first is enough.
        incoming.once('data', (chunk: Buffer) => {
          resolve({ status, headers: told, text: chunk.toString('utf8'), json: null });
          outgoing.destroy();
        });
        return;
      }
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson =
          String(incoming.headers['content-type']).includes('json') &&
          !String(incoming.headers['content-type']).includes('ndjson');
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          json: isJson && text !== '' ? JSON.parse(text) : null,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

function fromBase32(text: string): Uint8Array {
  const bits = [...text.replaceAll(' ', '')]
    .map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

// What answers each endpoint of the contract, made of the running parts of the service.
import type { Handlers } from '../../http/asked.ts';
import { alertHandlers } from '../../http/handlers/alerts.ts';
import { attachmentHandlers } from '../../http/handlers/attachments.ts';
import { auditHandlers } from '../../http/handlers/audit.ts';
import { caseHandlers } from '../../http/handlers/cases.ts';
import { decisionHandlers } from '../../http/handlers/decisions.ts';
import { labelHandlers } from '../../http/handlers/labels.ts';
import { listHandlers } from '../../http/handlers/lists.ts';
import { liveHandlers } from '../../http/handlers/live.ts';
import { demandModel, modelHandlers } from '../../http/handlers/models.ts';
import { notificationHandlers } from '../../http/handlers/notifications.ts';
import { privacyHandlers } from '../../http/handlers/privacy.ts';
import { replayHandlers } from '../../http/handlers/replays.ts';
import { ruleHandlers } from '../../http/handlers/rules.ts';
import { sessionHandlers } from '../../http/handlers/session.ts';
import { settingsHandlers } from '../../http/handlers/settings.ts';
import { type SystemServices, systemHandlers } from '../../http/handlers/system.ts';
import { type TransactionServices, transactionHandlers } from '../../http/handlers/transactions.ts';
import { userHandlers } from '../../http/handlers/users.ts';
import type { LiveFeed } from '../../jobs/live/live-feed.ts';
import type { ReplayQueue } from '../../jobs/replay/replay-queue.ts';
import type { Erasure } from '../../privacy/erasure.ts';
import { sweepErased } from '../../records/keys/erasures.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { ServeRole } from '../serve.ts';
import type { LogInOutcome } from '../service-metrics.ts';
import type { FollowedAlertSettings } from './alert-settings.ts';
import type { RunningBooks } from './books.ts';
import type { RunningArchive } from './decision-archive.ts';
import type { ErasedLists } from './erased-lists.ts';
import type { RunningEvidence } from './evidence.ts';
import type { ServiceLiveState } from './live-state.ts';
import type { ModelChangeSender } from './model-changes.ts';
import type { RunningNotifications } from './notifications.ts';
import { newId, type Vault } from './vault.ts';

export interface HandlerParts {
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly settings: FollowedAlertSettings;
  readonly told: RunningNotifications;
  readonly books: RunningBooks;
  readonly archive: Pick<RunningArchive, 'decisions'>;
  readonly evidence: Pick<RunningEvidence, 'find'>;
  readonly deciding: ServiceLiveState;
  readonly changes: Pick<ModelChangeSender, 'send'>;
  readonly replays: Pick<ReplayQueue, 'poke'>;
  readonly erasedLists: Pick<ErasedLists, 'count' | 'settle'>;
  readonly live: LiveFeed;
  readonly score: TransactionServices['score'];
  readonly system: SystemServices;
  readonly loggedIn: (outcome: LogInOutcome) => void;
}

export function serviceHandlers(role: ServeRole, parts: HandlerParts): Handlers {
  const { records, vault, settings, told, books, evidence, deciding, erasedLists } = parts;
  const { texts, trail, tokens, codec } = vault;
  const { log, topics, decoders, deadlineMs } = role;
  const objects = role.archive.store;
  const registry = role.books.store;
  const work = { records, settings: settings.current, newId, texts, taken: told.taken };
  const afterErasure = async (erasure: Erasure) => {
    await records.transact((tx) => sweepErased(tx, erasure));
    vault.keys.forget(erasure.subject);
    await erasedLists.settle();
  };
  return {
    ...systemHandlers(parts.system),
    ...transactionHandlers({
      ...{ decode: (bytes: Uint8Array) => decoders.transaction(bytes), read: role.readTransaction },
      ...{ deadlineMs, score: parts.score },
    }),
    ...decisionHandlers(parts.archive.decisions, evidence.find),
    ...liveHandlers(parts.live),
    ...alertHandlers(work),
    ...caseHandlers(work),
    ...attachmentHandlers({ records, objects, seal: vault.seal, open: vault.open, trail, newId, texts }),
    ...labelHandlers(records, newId, texts),
    ...ruleHandlers(books.rules),
    ...listHandlers({ ...books.lists, trail }),
    ...privacyHandlers({
      ...{ records, log, topic: topics.transactions, tokens, codec, trail },
      ...{ newId, readClear: decoders.transaction, afterErasure, listed: erasedLists.count },
    }),
    ...notificationHandlers({ records, ...told }),
    ...modelHandlers({ records, registry, newId, live: deciding, send: parts.changes.send }),
    ...replayHandlers({
      ...{ records, newId, poke: () => parts.replays.poke() },
      demandModel: (id) => demandModel(registry, id),
    }),
    ...settingsHandlers({ records, newId, refresh: settings.refresh }),
    ...auditHandlers({ records, trail, verify: vault.verifyAudit }),
    ...sessionHandlers(countingLogIns(vault.identity, parts.loggedIn)),
    ...userHandlers(vault.identity),
  };
}

function countingLogIns(identity: Vault['identity'], loggedIn: HandlerParts['loggedIn']): Vault['identity'] {
  const login: Vault['identity']['login'] = async (request) => {
    const result = await identity.login(request);
    loggedIn(result.kind);
    return result;
  };
  return { ...identity, login };
}

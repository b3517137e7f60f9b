// The rule book and the lists beside a running service: kept in the registry, the lists sealed; what is changed there comes
// into the audit and onto the stream.
import { createRuleVocabulary } from '../../decisions/rule-names.ts';
import type { RuleOverride } from '../../decisions/verdict.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { ChainReport } from '../../http/handlers/book-chain.ts';
import type { ListServices } from '../../http/handlers/lists.ts';
import type { RuleServices } from '../../http/handlers/rules.ts';
import { BookAudit } from '../../jobs/books/book-audit.ts';
import { ListDesk } from '../../jobs/books/list-desk.ts';
import { startListFiles } from '../../jobs/books/list-files.ts';
import { startChecks } from '../../jobs/rules/check-beside.ts';
import { readRuleFile } from '../../jobs/rules/check-rules.ts';
import { withFileRules } from '../../jobs/rules/file-rules.ts';
import { RuleDesk } from '../../jobs/rules/rule-desk.ts';
import { emptyRuleLists } from '../../jobs/rules/rule-lists.ts';
import { LiveLists } from '../../jobs/stream/live-lists.ts';
import { rulesHash } from '../../jobs/stream/live-versions.ts';
import { RulePublisher } from '../../jobs/stream/rule-publisher.ts';
import { InputError } from '../../lib/errors.ts';
import type { ListEntry } from '../../lists/kept-list.ts';
import type { ObjectStore, StreamLog } from '../../ports.ts';
import { EnvelopeError } from '../../privacy/envelope.ts';
import { KINDS_OF } from '../../privacy/personal-fields.ts';
import { Scrubber } from '../../privacy/scrubber.ts';
import { lockAudit } from '../../records/audit/append.ts';
import { afterMark, type BookName, bookMark } from '../../records/books/audited.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import type { ListBook } from '../../registry/list-book.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import { rememberedObjects } from '../../registry/remembered-objects.ts';
import { openRuleBook, type RuleBook } from '../../registry/rule-book.ts';
import { ruleBookAt } from '../../registry/rule-book-state.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { tellList, tellRule } from './book-entries.ts';
import { every } from './every.ts';
import { listBookOf } from './sealed-lists.ts';
import { sealedObjects } from './sealed-objects.ts';
import type { OwnSealing, Sealing } from './sealing.ts';
import type { Vault } from './vault.ts';

export interface BookPlace {
  /** The registry. */
  readonly store: ObjectStore;
  /** Rules of files, which have their say until the book knows them. */
  readonly files: readonly PlacedRule[];
  /** What the stream computes. */
  readonly definitions: readonly FeatureDefinition[];
  /** Names of all detectors there are. */
  readonly detectors: readonly string[];
}

export interface RunningBooks {
  readonly rules: RuleServices;
  readonly lists: Omit<ListServices, 'trail'>;
  /** For retention: forgetting is in the audit, and sent to the workers, as any other change. */
  readonly forgetting: Pick<ListBook, 'prunable' | 'prune'>;
  /** Beside the log, once it may be written to. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Modules of the threads in which work is done that would hold decisions up. */
export interface BookThreads {
  readonly checkRules: URL;
  readonly readList: URL;
}

export interface BookParts {
  readonly place: BookPlace;
  readonly threads: BookThreads;
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly log: StreamLog;
  /** Of changes. */
  readonly topic: string;
  readonly logger: Logger;
}

const SWEEP_MS = 15_000;

/** For a worker: the lists as rules ask them. */
export function openLiveLists(place: Pick<BookPlace, 'store'>, vault: OwnSealing & Pick<Sealing, 'tokens'>): LiveLists {
  return new LiveLists(listBookOf(place, vault, true), (value) => vault.tokens.publicId(value));
}

/**
 * All that is or was on the lists, for another thread, which has no tokens of its own: a value of an exact list is there as
 * it was written and as transactions have it in the stream.
 */
export async function listStates(place: Pick<BookPlace, 'store'>, vault: Vault): Promise<readonly ListState[]> {
  const states = await listBookOf(place, vault, false).lists();
  return [...states.values()].map(({ definition, entries }) => ({
    definition,
    entries: definition.match === 'name' ? entries : entries.flatMap((entry) => [entry, ...inTokens(entry, vault)]),
  }));
}

function inTokens(entry: ListEntry, { tokens }: Vault): readonly ListEntry[] {
  const value = tokens.publicId(entry.value);
  return value === entry.value ? [] : [{ ...entry, value }];
}

export function openBooks({ place, threads, records, vault, log, topic, logger }: BookParts): RunningBooks {
  const { files, definitions, detectors } = place;
  const scrubber = new Scrubber();
  const publicId = (id: string) => vault.tokens.publicId(id);
  const entityId = (field: RuleOverride['field'], id: string) => vault.tokens.publicId(id, KINDS_OF[field]);
  const ruleBook = withFileRules(ruleBookOf(place, true), files, entityId);
  const listBook = listBookOf(place, vault, true);
  const listDesk = new ListDesk(listBook, publicId);
  const known = [...definitions, ...CATALOGUE_NAMES.flatMap(catalogueNamed)];
  const computed = new Set(definitions.map(({ id }) => id));
  const notComputed = new Set(known.map(({ id }) => id).filter((id) => !computed.has(id)));
  const vocabulary = async () => createRuleVocabulary(known, detectors, emptyRuleLists(await listDesk.definitions()));
  const checks = startChecks(threads.checkRules, { definitions: known, detectors }, () => listDesk.definitions());
  const listFiles = startListFiles(threads.readList);
  const record = vault.trail.append.bind(vault.trail);
  const common = { records, record, begin: lockAudit };
  const told = {
    scrub: (text: string) => scrubber.scrub(text),
    entityId,
    token: (id: string) => vault.tokens.subject(id),
  };
  const ruleAudit = new BookAudit({
    ...{ ...common, book: 'rules', history: () => ruleBook.history() },
    tell: (entry) => tellRule(entry, told),
  });
  const listAudit = new BookAudit({
    ...{ ...common, book: 'lists', history: () => listBook.history() },
    tell: (entry) => tellList(entry, told),
  });
  const publisher = new RulePublisher({ log, topic, rules: ruleBook, lists: listBook, nowMs: Date.now });
  const onTrouble = ({ message }: Error) => logger.warn({ message }, 'rules and lists will be looked at again');
  const publish = () => publisher.publish().catch(onTrouble);
  const sweep = async () => {
    await ruleAudit.sweep();
    await listAudit.sweep();
    await publisher.publish();
  };
  let stopSweeping = () => {};
  return {
    rules: {
      ...{ audit: ruleAudit, publish, vocabulary, scrubber, entityId },
      desk: new RuleDesk({ book: ruleBook, files, check: checks.check, notComputed }),
      versionInForce: async (nowMs) => rulesHash((await ruleBook.effectiveAt(nowMs)).rules),
      verify: () => verified(records, 'rules', () => wholeRules(ruleBookOf(place, false))),
    },
    lists: {
      ...{ audit: listAudit, publish, scrubber, desk: listDesk, readFile: listFiles.read },
      verify: () => verified(records, 'lists', () => wholeLists(listBookOf(place, vault, false))),
    },
    forgetting: {
      prunable: (endedBeforeMs) => listBook.prunable(endedBeforeMs),
      async prune(endedBeforeMs, act) {
        const pruned = await listBook.prune(endedBeforeMs, act);
        if (pruned.entries > 0) await sweep();
        return pruned;
      },
    },
    async start() {
      await sweep().catch(onTrouble);
      stopSweeping = every(SWEEP_MS, sweep, onTrouble);
    },
    async close() {
      stopSweeping();
      await checks.stop();
      await listFiles.stop();
    },
  };
}

/** Of a book whose history is broken: as it lies there, and opened; what cannot be opened is there as nothing. */
export function lossStores(
  { store }: Pick<BookPlace, 'store'>,
  vault: Pick<Vault, 'seal' | 'open'>,
  book: BookName,
): { readonly stored: ObjectStore; readonly opened: ObjectStore } {
  if (book === 'rules') return { stored: store, opened: store };
  const sealed = sealedObjects(store, vault);
  const get = async (key: string) => {
    try {
      return await sealed.get(key);
    } catch (error) {
      if (error instanceof EnvelopeError) return new Uint8Array();
      throw error;
    }
  };
  return { stored: store, opened: { ...sealed, get } };
}

function ruleBookOf({ store }: Pick<BookPlace, 'store'>, remembers: boolean): RuleBook {
  const objects = remembers ? rememberedObjects(store) : store;
  return openRuleBook(objects, (text, path) => readRuleFile({ path, text }), remembers);
}

/** With the texts that its entries name. */
async function wholeRules(book: RuleBook): Promise<readonly HistoryEntry<unknown>[]> {
  const entries = await book.history();
  for (const version of ruleBookAt(entries, Number.POSITIVE_INFINITY).versions) await book.textOf(version);
  return entries;
}

/** With the rows of its imports. */
async function wholeLists(book: ListBook): Promise<readonly HistoryEntry<unknown>[]> {
  await book.lists();
  return await book.history();
}

async function verified(
  records: RecordStore,
  name: BookName,
  read: () => Promise<readonly HistoryEntry<unknown>[]>,
): Promise<ChainReport> {
  const audited = await bookMark(records.db, name);
  try {
    const entries = await read();
    afterMark(entries, audited, name);
    return { entries: entries.length, head: entries.at(-1)?.hash ?? null, audited, problem: null };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { entries: 0, head: null, audited, problem: error.message };
  }
}

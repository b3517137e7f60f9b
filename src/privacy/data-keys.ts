// The keys that data is sealed with: of their own for each customer (a subject), wrapped by a master key where they are kept.
//
// A key is durable before the first value is sealed with it. Subjects without one that are asked for together get theirs by
// one wrapping and one insert. A subject may have several keys: each envelope names its own, so two processes that make one
// at the same time do no harm, and a key is followed by another after a while. Opened keys are kept in memory, a bounded
// number of them; what was erased elsewhere is forgotten by `refresh`, which whoever runs this calls every few seconds.
import { randomBytes as systemRandomBytes } from 'node:crypto';
import { InputError } from '../lib/errors.ts';
import type { MasterKeys } from '../ports.ts';
import { type DataKey, type DataKeyId, dataKey, KEY_BYTES, KEY_ID_BYTES } from './envelope.ts';
import { RecentMap } from './recent-map.ts';
import type { SubjectToken } from './tokens.ts';

export interface StoredDataKey {
  readonly id: DataKeyId;
  readonly subject: SubjectToken;
  /** The master that wrapped it. */
  readonly masterId: string;
  readonly wrapped: Uint8Array;
  readonly createdMs: number;
}

/** What is left of a destroyed key: that there was one. */
export interface ErasedDataKey {
  readonly id: DataKeyId;
  readonly subject: SubjectToken;
  readonly wrapped: null;
}

export interface SubjectErasure {
  readonly subject: SubjectToken;
  readonly erasedMs: number;
}

/** Where wrapped keys are kept. */
export interface DataKeyTable {
  /** Of each subject the newest that is not destroyed and was made at that time or later. */
  newest(subjects: readonly SubjectToken[], createdFromMs: number): Promise<readonly StoredDataKey[]>;
  find(ids: readonly DataKeyId[]): Promise<readonly (StoredDataKey | ErasedDataKey)[]>;
  /** Durable when it resolves. */
  add(keys: readonly StoredDataKey[]): Promise<void>;
  /** Subjects whose keys were destroyed at that time or later. */
  erasedSince(fromMs: number): Promise<readonly SubjectErasure[]>;
}

export interface DataKeySettings {
  /** Opened keys that are kept in memory. */
  readonly mostOpened: number;
  /** Subjects that wait for a key at the same time; more are turned away. */
  readonly mostWaiting: number;
  /** A key seals for so long and is then followed by another; it opens for ever. */
  readonly sealsForMs: number;
}

const DAY_MS = 86_400_000;
export const DEFAULT_DATA_KEYS: DataKeySettings = {
  ...{ mostOpened: 200_000, mostWaiting: 50_000, sealsForMs: 365 * DAY_MS },
};

export interface DataKeysOptions {
  readonly table: DataKeyTable;
  readonly masters: MasterKeys;
  readonly settings?: Partial<DataKeySettings>;
  readonly randomBytes?: (bytes: number) => Uint8Array;
}

/** `erased`: destroyed on purpose, for ever. */
export type FoundKey = DataKey | 'erased';

/** Too many subjects wait for their keys; later there may be room. */
export class KeysBusyError extends Error {
  override readonly name = 'KeysBusyError';
  readonly code = 'KEYS_BUSY';
}

const MOST_BATCH = 1000;
/** Clocks of processes differ by less. */
const OVERLAP_MS = 120_000;
const FIRST_LOOK_MS = 3_600_000;

interface Waiting {
  readonly key: PromiseWithResolvers<DataKey>;
  readonly nowMs: number;
}

export class DataKeys {
  readonly #table: DataKeyTable;
  readonly #masters: MasterKeys;
  readonly #settings: DataKeySettings;
  readonly #randomBytes: (bytes: number) => Uint8Array;
  readonly #sealing: RecentMap<SubjectToken, DataKey>;
  readonly #opening: RecentMap<DataKeyId, { readonly subject: SubjectToken; readonly found: FoundKey }>;
  readonly #waiting = new Map<SubjectToken, Waiting>();
  /** Subjects forgotten while something was being read: what was read of them may be outdated. */
  readonly #forgotten = new Set<SubjectToken>();
  #reads = 0;
  #isMaking = false;
  #refreshedMs: number | null = null;
  /** Of what `refresh` was told last. */
  #heard: ReadonlySet<string> = new Set();

  constructor({ table, masters, settings, randomBytes = systemRandomBytes }: DataKeysOptions) {
    this.#table = table;
    this.#masters = masters;
    this.#settings = { ...DEFAULT_DATA_KEYS, ...settings };
    this.#randomBytes = randomBytes;
    this.#sealing = new RecentMap(this.#settings.mostOpened);
    this.#opening = new RecentMap(this.#settings.mostOpened);
  }

  /** Opened keys in memory. */
  get opened(): number {
    return this.#opening.size;
  }

  /** At once, where the key is at hand; null: `keysToSeal` gets it. */
  keyToSeal(subject: SubjectToken, nowMs: number): DataKey | null {
    const key = this.#sealing.get(subject);
    return key === undefined || nowMs - key.createdMs >= this.#settings.sealsForMs ? null : key;
  }

  /** At once; null: `keysToOpen` gets it. */
  keyToOpen(id: DataKeyId): FoundKey | null {
    return this.#opening.get(id)?.found ?? null;
  }

  /**
   * @throws KeysBusyError; what the table and the master keys throw
   */
  async keysToSeal(subjects: readonly SubjectToken[], nowMs: number): Promise<ReadonlyMap<SubjectToken, DataKey>> {
    const keys = new Map<SubjectToken, DataKey>();
    const awaited: Promise<unknown>[] = [];
    const { mostWaiting } = this.#settings;
    for (const subject of new Set(subjects)) {
      const key = this.keyToSeal(subject, nowMs);
      if (key !== null) keys.set(subject, key);
      else if (this.#waiting.size >= mostWaiting && !this.#waiting.has(subject)) {
        awaited.push(Promise.reject(new KeysBusyError(`${mostWaiting} subjects wait for their keys: try again later`)));
        break;
      } else awaited.push(this.#await(subject, nowMs).then((made) => keys.set(subject, made)));
    }
    await Promise.all(awaited);
    return keys;
  }

  /** @throws InputError DATA_KEY_MISSING; what the table and the master keys throw */
  async keysToOpen(ids: readonly DataKeyId[]): Promise<ReadonlyMap<DataKeyId, FoundKey>> {
    const found = new Map<DataKeyId, FoundKey>();
    const missing: DataKeyId[] = [];
    for (const id of new Set(ids)) {
      const known = this.keyToOpen(id);
      if (known === null) missing.push(id);
      else found.set(id, known);
    }
    for (let from = 0; from < missing.length; from += MOST_BATCH) {
      const batch = missing.slice(from, from + MOST_BATCH);
      await this.#reading(async () => {
        const rows = await this.#table.find(batch);
        const kept = rows.filter((row) => row.wrapped !== null);
        for (const key of await this.#open(kept)) found.set(key.id, key);
        for (const row of rows) {
          if (row.wrapped === null) found.set(row.id, 'erased');
          this.#remember(row.id, row.subject, found.get(row.id)!);
        }
      });
    }
    const lost = missing.find((id) => !found.has(id));
    if (lost === undefined) return found;
    throw new InputError(
      'DATA_KEY_MISSING',
      `There is no data key ${lost}, and none of this id was destroyed`,
      'The records were restored from an older copy than the data: restore those of the same time',
    );
  }

  /** Its keys are read anew when they are asked for next. */
  forget(...subjects: readonly SubjectToken[]): void {
    if (subjects.length === 0) return;
    const all = new Set(subjects);
    for (const subject of all) {
      this.#sealing.delete(subject);
      if (this.#reads > 0) this.#forgotten.add(subject);
    }
    this.#opening.deleteWhere(({ subject, found }) => found !== 'erased' && all.has(subject));
  }

  /** Forgets what other processes destroyed since it was called last, or since an hour ago. */
  async refresh(nowMs: number): Promise<void> {
    const fromMs = (this.#refreshedMs ?? nowMs - FIRST_LOOK_MS) - OVERLAP_MS;
    const erased = await this.#table.erasedSince(fromMs);
    this.forget(...erased.filter((each) => !this.#heard.has(nameOf(each))).map(({ subject }) => subject));
    this.#heard = new Set(erased.map(nameOf));
    this.#refreshedMs = nowMs;
  }

  #await(subject: SubjectToken, nowMs: number): Promise<DataKey> {
    const waiting = this.#waiting.get(subject) ?? { key: Promise.withResolvers<DataKey>(), nowMs };
    this.#waiting.set(subject, waiting);
    if (!this.#isMaking) {
      this.#isMaking = true;
      // Later in this turn others ask, too.
      setImmediate(() => void this.#makeAll());
    }
    return waiting.key.promise;
  }

  async #makeAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, MOST_BATCH);
      try {
        const keys = await this.#reading(() => this.#readOrMake(batch));
        for (const [subject, { key }] of batch) {
          this.#waiting.delete(subject);
          key.resolve(keys.get(subject)!);
        }
      } catch (error) {
        for (const [subject, { key }] of batch) {
          this.#waiting.delete(subject);
          key.reject(error);
        }
      }
    }
    this.#isMaking = false;
  }

  async #readOrMake(batch: readonly (readonly [SubjectToken, Waiting])[]): Promise<Map<SubjectToken, DataKey>> {
    const nowMs = Math.max(...batch.map(([, waiting]) => waiting.nowMs));
    const subjects = batch.map(([subject]) => subject);
    const stored = await this.#table.newest(subjects, nowMs - this.#settings.sealsForMs + 1);
    const has = new Set(stored.map(({ subject }) => subject));
    const opened = await this.#open(stored);
    const made = await this.#make(
      subjects.filter((subject) => !has.has(subject)),
      nowMs,
    );
    const keys = new Map<SubjectToken, DataKey>([
      ...stored.map(({ subject }, index) => [subject, opened[index]] as const),
      ...made,
    ]);
    for (const [subject, key] of keys) {
      this.#remember(key.id, subject, key);
      if (!this.#forgotten.has(subject)) this.#sealing.set(subject, key);
    }
    return keys;
  }

  async #make(subjects: readonly SubjectToken[], nowMs: number): Promise<[SubjectToken, DataKey][]> {
    if (subjects.length === 0) return [];
    const masterId = this.#masters.currentId;
    const fresh = subjects.map(() => ({
      id: Buffer.from(this.#randomBytes(KEY_ID_BYTES)).toString('hex'),
      bytes: Buffer.from(this.#randomBytes(KEY_BYTES)),
    }));
    const wrapped = await this.#masters.wrap(fresh.map(({ id, bytes }) => ({ bytes, context: dataKeyContext(id) })));
    await this.#table.add(
      subjects.map((subject, index) => ({
        ...{ id: fresh[index].id, subject, masterId, wrapped: wrapped[index], createdMs: nowMs },
      })),
    );
    return subjects.map((subject, index) => [subject, dataKey(fresh[index].id, fresh[index].bytes, nowMs)]);
  }

  /** In the order of the rows. */
  async #open(rows: readonly StoredDataKey[]): Promise<DataKey[]> {
    const byMaster = Map.groupBy(rows, ({ masterId }) => masterId);
    const opened = new Map<DataKeyId, DataKey>();
    for (const [masterId, group] of byMaster) {
      const requests = group.map(({ id, wrapped }) => ({ bytes: wrapped, context: dataKeyContext(id) }));
      const bytes = await this.#masters.unwrap(masterId, requests);
      group.forEach(({ id, createdMs }, index) => {
        opened.set(id, dataKey(id, bytes[index], createdMs));
      });
    }
    return rows.map(({ id }) => opened.get(id)!);
  }

  #remember(id: DataKeyId, subject: SubjectToken, found: FoundKey): void {
    if (found === 'erased' || !this.#forgotten.has(subject)) this.#opening.set(id, { subject, found });
  }

  async #reading<Result>(read: () => Promise<Result>): Promise<Result> {
    this.#reads++;
    try {
      return await read();
    } finally {
      this.#reads--;
      if (this.#reads === 0) this.#forgotten.clear();
    }
  }
}

/** What a wrapped data key is, for the master. */
export function dataKeyContext(id: DataKeyId): string {
  return `data-key/${id}`;
}

function nameOf({ subject, erasedMs }: SubjectErasure): string {
  return `${subject}@${erasedMs}`;
}

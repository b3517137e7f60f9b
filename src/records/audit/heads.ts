// Signed heads: at times, and when the program stops, the newest entry is signed, so that a cut after it is found.
//
// How much could be cut off unseen is what was written since: so many entries, so many minutes. Each head is told to
// `onHead`, too: written to a log that is kept elsewhere, it holds against those who can change the whole database.
import type { Kysely } from 'kysely';
import type { ChainPoint } from '../../audit/chain.ts';
import { type SigningKey, signHead } from '../../audit/signing.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';

export interface HeadSettings {
  /** After so many entries… */
  readonly everyEntries: number;
  /** …or so long after the first that is not signed. */
  readonly everyMs: number;
}

export const DEFAULT_HEADS: HeadSettings = { everyEntries: 1000, everyMs: 60_000 };

export interface HeadSignerOptions {
  readonly store: RecordStore;
  /** The key in use. */
  readonly key: () => Promise<SigningKey>;
  readonly settings: HeadSettings;
  readonly nowMs: () => number;
  /** @returns calls it off */
  readonly after: (ms: number, run: () => void) => () => void;
  readonly onHead: (head: ChainPoint & { readonly atMs: number; readonly keyId: string }) => void;
  /** It is tried again after the same time. */
  readonly onTrouble: (error: Error) => void;
}

/** Signs the newest committed entry, where it has not been. @returns null where there is nothing new */
export async function signNewest(store: RecordStore, key: SigningKey, atMs: number): Promise<ChainPoint | null> {
  const end = await store.db
    .selectFrom('audit_end')
    .leftJoin('audit_heads', 'audit_heads.sequence', 'audit_end.sequence')
    .select(['audit_end.sequence', 'audit_end.hash', 'audit_heads.key_id as signedBy'])
    .where('audit_end.id', '=', 1)
    .executeTakeFirst();
  if (end === undefined || end.signedBy !== null || end.sequence === 0) return null;
  const point = { sequence: end.sequence, hash: end.hash };
  await store.transact((tx) => insertHead(tx, key, point, atMs));
  return point;
}

/** null where nothing is signed. */
export async function newestHead(db: Kysely<Database>): Promise<ChainPoint | null> {
  const head = await db
    .selectFrom('audit_heads')
    .select(['sequence', 'hash'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return head ?? null;
}

export async function insertHead(
  tx: Kysely<Database>,
  key: SigningKey,
  point: ChainPoint,
  atMs: number,
): Promise<void> {
  const { sequence, hash } = point;
  const { text, signature } = signHead(key, point, atMs);
  await tx
    .insertInto('audit_heads')
    .values({ sequence, hash, at_ms: atMs, key_id: key.keyId, text, signature })
    .onConflict((conflict) => conflict.column('sequence').doNothing())
    .execute();
}

export class HeadSigner {
  readonly #options: HeadSignerOptions;
  #entries = 0;
  #callOff: (() => void) | null = null;
  #signing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: HeadSignerOptions) {
    this.#options = options;
  }

  /** Entries were appended; their transaction may not have ended yet. */
  appended(count: number): void {
    if (this.#isClosed) return;
    const { everyEntries, everyMs } = this.#options.settings;
    const wasFew = this.#entries < everyEntries;
    this.#entries += count;
    if (this.#callOff !== null && wasFew && this.#entries >= everyEntries) {
      this.#callOff();
      this.#callOff = null;
    }
    // A moment, so that the transaction has ended.
    const afterMs = this.#entries >= everyEntries ? Math.min(SOON_MS, everyMs) : everyMs;
    this.#callOff ??= this.#options.after(afterMs, () => void this.#signInTurn());
  }

  /** Signs what there is, once what is being signed has been. @throws what the database or the key throws */
  async sign(): Promise<void> {
    const { store, key, nowMs, onHead } = this.#options;
    const signed = this.#signing.then(async () => {
      this.#entries = 0;
      const inUse = await key();
      const atMs = nowMs();
      const point = await signNewest(store, inUse, atMs);
      if (point !== null) onHead({ ...point, atMs, keyId: inUse.keyId });
    });
    this.#signing = signed.catch(() => undefined);
    await signed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#callOff?.();
    await this.sign();
  }

  async #signInTurn(): Promise<void> {
    this.#callOff = null;
    try {
      await this.sign();
    } catch (error) {
      this.#options.onTrouble(error as Error);
      this.appended(1);
    }
  }
}

const SOON_MS = 100;

// Evidence of decisions that need not be kept: packs lie in 256 folders and tell their age when they are read. What was the oldest
// of a folder is remembered, so that on most days none is read; a look that comes to its bounds goes on in the next round.
//
// A pack names the key that its transaction is sealed with, and by it the customer: of one under a hold it stays. Whose it is that
// nobody knows (a key of other records), stays while anybody is under a hold.
import type { ObjectStore } from '../../ports.ts';
import { EnvelopeError, keyIdOf } from '../../privacy/envelope.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import type { Tx } from '../../records/alerts/act.ts';
import { heldSubjects } from '../../records/keys/legal-holds.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { type FolderLook, folderLooks, keepFolderLook } from '../../records/retention/folders.ts';
import { PACKS } from '../evidence/evidence-store.ts';

export interface PackPruning {
  readonly records: RecordStore;
  readonly objects: Pick<ObjectStore, 'get' | 'list' | 'remove'>;
  readonly decidedBeforeMs: number;
  readonly nowMs: number;
  /** Read at once; between two such groups it is asked whether to go on. */
  readonly batch: number;
  /** Packs that are read in one round. */
  readonly most: number;
  readonly mayGoOn: () => boolean;
  /** Says what would go: nothing is removed and nothing remembered. */
  readonly isDryRun: boolean;
}

export interface PrunedPacks {
  readonly evidence: number;
  readonly held: number;
  readonly isMore: boolean;
}

interface Pack {
  readonly key: string;
  readonly decidedMs: number;
  /** Of the data key; null where it is not sealed, or cannot be read. */
  readonly keyId: string | null;
}

const FOLDERS = Array.from({ length: 256 }, (_, index) => `${PACKS}${index.toString(16).padStart(2, '0')}/`);
/** A pack is kept a while after its decision. */
const MARGIN_MS = 7 * 86_400_000;

/** @throws what the records and the store throw: what was removed stays removed */
export async function prunePacks(pruning: PackPruning): Promise<PrunedPacks> {
  const { records, decidedBeforeMs, most, mayGoOn, isDryRun } = pruning;
  const looks = await folderLooks(records.db, PACKS);
  let [evidence, held, left] = [0, 0, most];
  const endedAt = async (folder: string, isMore: boolean): Promise<PrunedPacks> => {
    if (!isDryRun) await records.transact((tx) => keepFolderLook(tx, PACKS, { after: folder, oldestMs: null }));
    return { evidence, held, isMore };
  };
  // Where the last round came to its bounds: what stays for a hold is read in each, and must not keep the others from it.
  const first = Math.max(0, FOLDERS.indexOf(looks.get(PACKS)?.after ?? ''));
  for (const folder of [...FOLDERS.slice(first), ...FOLDERS.slice(0, first)]) {
    const look = looks.get(folder);
    if (look?.after === '' && look.oldestMs !== null && look.oldestMs >= decidedBeforeMs) continue;
    if (left <= 0 || !mayGoOn()) return await endedAt(folder, true);
    const done = await pruneFolder(pruning, folder, look ?? { after: '', oldestMs: null }, left);
    evidence += done.evidence;
    held += done.held;
    left -= done.looked;
    if (done.isMore) return await endedAt(folder, true);
  }
  return await endedAt('', false);
}

async function pruneFolder(
  pruning: PackPruning,
  folder: string,
  { after, oldestMs: before }: FolderLook,
  most: number,
): Promise<PrunedPacks & { readonly looked: number }> {
  const { records, objects, decidedBeforeMs, nowMs, batch, mayGoOn, isDryRun } = pruning;
  const keys = (await objects.list(folder)).filter((key) => key > after);
  // A look that begins anew forgets what the one before has found.
  let oldestMs = after === '' ? null : before;
  let [evidence, held, looked] = [0, 0, 0];
  const keep = async (at: FolderLook) => {
    if (!isDryRun) await records.transact((tx) => keepFolderLook(tx, folder, at));
  };
  while (looked < keys.length) {
    if (looked >= most || !mayGoOn()) {
      if (looked > 0) await keep({ after: keys[looked - 1], oldestMs });
      return { evidence, held, looked, isMore: true };
    }
    const packs = await readPacks(objects, keys.slice(looked, looked + batch));
    const old = packs.filter(({ decidedMs }) => decidedMs < decidedBeforeMs);
    const free = await freeOf(records.db, old, nowMs);
    if (!isDryRun) for (const { key } of free) await objects.remove(key);
    const stay = packs.filter((pack) => !free.includes(pack)).map(({ decidedMs }) => decidedMs);
    oldestMs = stay.reduce<number | null>((oldest, at) => Math.min(oldest ?? at, at), oldestMs);
    evidence += free.length;
    held += old.length - free.length;
    looked += batch;
  }
  await keep({ after: '', oldestMs: oldestMs ?? nowMs - MARGIN_MS });
  return { evidence, held, looked, isMore: false };
}

/** Those of nobody under a hold, as it is now. */
async function freeOf(db: Tx, packs: readonly Pack[], nowMs: number): Promise<readonly Pack[]> {
  const held = packs.length === 0 ? new Set<SubjectToken>() : await heldSubjects(db, nowMs);
  if (held.size === 0) return packs;
  const ids = packs.flatMap(({ keyId }) => (keyId === null ? [] : [keyId]));
  const rows =
    ids.length === 0 ? [] : await db.selectFrom('data_keys').select(['id', 'subject']).where('id', 'in', ids).execute();
  const subjects = new Map(rows.map(({ id, subject }) => [id, subject]));
  return packs.filter(({ keyId }) => {
    const subject = keyId === null ? undefined : subjects.get(keyId);
    return subject !== undefined && !held.has(subject);
  });
}

/** What is no pack stays: somebody has to look at it. */
async function readPacks(objects: PackPruning['objects'], keys: readonly string[]): Promise<readonly Pack[]> {
  const packs: Pack[] = [];
  for (const key of keys) {
    const bytes = await objects.get(key);
    const pack = bytes === null ? null : packOf(key, bytes);
    if (pack !== null) packs.push(pack);
  }
  return packs;
}

function packOf(key: string, bytes: Uint8Array): Pack | null {
  try {
    const { decidedMs, transaction } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly decidedMs?: unknown;
      readonly transaction?: { readonly form?: unknown; readonly value?: unknown };
    };
    if (typeof decidedMs !== 'number' || !Number.isFinite(decidedMs)) return null;
    const isSealed = transaction?.form === 'sealed' && typeof transaction.value === 'string';
    return { key, decidedMs, keyId: isSealed ? sealedKeyOf(transaction.value as string) : null };
  } catch {
    return null;
  }
}

function sealedKeyOf(value: string): string | null {
  try {
    return keyIdOf(Buffer.from(value, 'base64'));
  } catch (error) {
    if (error instanceof EnvelopeError) return null;
    throw error;
  }
}

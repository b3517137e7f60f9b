// The keys that sign the audit: the first one, the next ones, each vouched for by the one before, and their public halves.
//
// The private half lies sealed in the database; a program that may sign has the functions that open it.
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import {
  introduceKey,
  KEY_ADDED,
  KEY_FORMAT,
  readStatement,
  type SignedText,
  type SigningKey,
  signingKeyOf,
} from '../../audit/signing.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';
import { appendAudit, lockAudit } from './append.ts';
import { insertHead } from './heads.ts';

/** Seals under the bank's master key. `context` is bound to what is sealed and must be the same when it is opened. */
export interface KeySealing {
  seal(plain: Uint8Array, context: string): Promise<Uint8Array> | Uint8Array;
  open(sealed: Uint8Array, context: string): Promise<Uint8Array> | Uint8Array;
}

export interface KeyMaking {
  readonly sealing: KeySealing;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface PublicKey {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
  readonly addedMs: number;
  readonly previousKeyId: string | null;
}

type KeyRow = Database['audit_keys'];

const SEED_BYTES = 32;
const NOTHING = new Uint8Array();

/** The key that signs now; where there is none yet, the first is made. */
export async function openSigningKey(store: RecordStore, making: KeyMaking): Promise<SigningKey> {
  const current = await currentKey(store.db);
  if (current !== undefined) return unsealed(current, making.sealing);
  const made = await makeKey(null, making);
  // Another program may have come first: then its key is the first.
  const first = await store.transact(async (tx) => {
    await lockAudit(tx);
    const other = await currentKey(tx);
    if (other === undefined) await bringIn(tx, made);
    return other ?? null;
  });
  return first === null ? made.key : unsealed(first, making.sealing);
}

/** A new key takes over; the old one vouches for it, and its private half is destroyed. Moves to the present master, too. */
export async function rotateSigningKey(store: RecordStore, making: KeyMaking): Promise<SigningKey> {
  const old = await openSigningKey(store, making);
  const made = await makeKey(old, making);
  await store.transact(async (tx) => {
    await lockAudit(tx);
    await bringIn(tx, made);
    await tx.updateTable('audit_keys').set(sealedColumns(NOTHING)).where('key_id', '=', old.keyId).execute();
  });
  return made.key;
}

/**
 * For those who sign for long: asks which key is the current one and opens it once.
 *
 * @throws InputError where there is no key, or it cannot be opened
 */
export function keyInUse(store: RecordStore, making: KeyMaking): () => Promise<SigningKey> {
  let open: SigningKey | null = null;
  return async () => {
    const current = await currentKey(store.db);
    if (open === null || current?.key_id !== open.keyId) open = await openSigningKey(store, making);
    return open;
  };
}

/** The first one first, each followed by the one that it vouched for. */
export async function listPublicKeys(db: Kysely<Database>): Promise<PublicKey[]> {
  const rows = await db.selectFrom('audit_keys').selectAll().execute();
  const nextOf = new Map(rows.map((row) => [row.previous_key_id, row]));
  const keys: PublicKey[] = [];
  for (let row = nextOf.get(null); row !== undefined && keys.length < rows.length; row = nextOf.get(row.key_id)) {
    const statement = readStatement(row.text, KEY_FORMAT);
    if (statement === null) break;
    const { keyId, publicKey, atMs, previousKeyId } = statement;
    keys.push({ keyId, publicKey, addedMs: atMs, previousKeyId });
  }
  return keys;
}

interface MadeKey {
  readonly key: SigningKey;
  readonly introduction: SignedText;
  readonly row: KeyRow;
}

async function makeKey(previous: SigningKey | null, { sealing, nowMs, randomBytes }: KeyMaking): Promise<MadeKey> {
  const key = signingKeyOf(randomBytes(SEED_BYTES));
  const atMs = nowMs();
  const introduction = introduceKey(key, previous, atMs);
  const sealed = await sealing.seal(key.seed, contextOf(key.keyId));
  const row = {
    ...{ key_id: key.keyId, previous_key_id: previous?.keyId ?? null, at_ms: atMs, ...introduction },
    ...sealedColumns(sealed),
  };
  return { key, introduction, row };
}

function sealedColumns(sealed: Uint8Array) {
  return { sealed, sealed_sha256: createHash('sha256').update(sealed).digest('hex') };
}

async function bringIn(tx: Kysely<Database>, { key, introduction, row }: MadeKey): Promise<void> {
  await tx.insertInto('audit_keys').values(row).execute();
  const [entry] = await appendAudit(tx, [keyDraft(key, introduction, row.at_ms)]);
  await insertHead(tx, key, entry, row.at_ms);
}

function keyDraft({ keyId }: SigningKey, { text, signature }: SignedText, atMs: number): AuditEntryDraft {
  return {
    ...{ atMs, actor: { kind: 'system', id: 'system', name: 'Centinela' }, action: KEY_ADDED },
    subject: { kind: 'audit-key', id: keyId },
    detail: { statement: text, signature: Buffer.from(signature).toString('base64') },
    address: null,
  };
}

/** The one that no other follows. */
async function currentKey(db: Kysely<Database>): Promise<KeyRow | undefined> {
  return db
    .selectFrom('audit_keys as key')
    .selectAll('key')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('audit_keys as next').select('next.key_id').whereRef('next.previous_key_id', '=', 'key.key_id'),
        ),
      ),
    )
    .executeTakeFirst();
}

async function unsealed({ key_id, sealed }: KeyRow, { open }: KeySealing): Promise<SigningKey> {
  return signingKeyOf(await open(sealed, contextOf(key_id)));
}

function contextOf(keyId: string): string {
  return `audit-key/${keyId}`;
}

// What is sealed, and who may come in, put together over the records: master keys, data keys, tokens, audit, identity.
import { randomBytes, randomUUID } from 'node:crypto';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import { type AuditReport, verifyAudit } from '../../audit/verify.ts';
import type { IdentityProvider } from '../../identity/provider-claims.ts';
import type { MasterKeys } from '../../ports.ts';
import type { DataKeys } from '../../privacy/data-keys.ts';
import { openSecret } from '../../privacy/pepper.ts';
import { createTextSealing, type TextSealing } from '../../privacy/sealed-text.ts';
import type { TransactionCodec } from '../../privacy/sealed-transaction.ts';
import type { Tokens } from '../../privacy/tokens.ts';
import { AuditTrail } from '../../records/audit/audit-trail.ts';
import { keyInUse, listPublicKeys } from '../../records/audit/keys.ts';
import { sealedByMasterKeys } from '../../records/audit/master-key-sealing.ts';
import { storeAuditSource } from '../../records/audit/store-source.ts';
import { createIdentity, type Identity } from '../../records/identity/identity.ts';
import type { IdentitySettings } from '../../records/identity/identity-context.ts';
import { createDataKeyTable } from '../../records/keys/data-key-table.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { after, every } from './every.ts';
import { type OwnSealing, openSealing, ownSealing } from './sealing.ts';

export interface Vault extends OwnSealing {
  readonly codec: TransactionCodec;
  readonly tokens: Tokens;
  readonly keys: DataKeys;
  readonly trail: AuditTrail;
  readonly identity: Identity;
  /** Into the audit, in the transaction. */
  record(tx: Parameters<AuditTrail['append']>[0], draft: AuditEntryDraft): Promise<void>;
  /** With all keys that are kept here: who trusts others gives them to `audit verify`. */
  verifyAudit(): Promise<AuditReport>;
  /** What people write. */
  readonly texts: TextSealing;
  /** 32 bytes, always the same ones for a name. */
  secret(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface VaultOptions {
  readonly records: RecordStore;
  readonly masters: MasterKeys;
  readonly provider: IdentityProvider | null;
  readonly identity?: Partial<IdentitySettings>;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

const TEXT_SECRET = 'text-key-1';
const SWEEP_MS = 300_000;

export async function openVault({
  records,
  masters,
  provider,
  identity: settings,
  logger,
  nowMs,
}: VaultOptions): Promise<Vault> {
  const onTrouble = (error: Error) =>
    logger.warn({ code: codeOf(error), message: error.message }, 'will be tried again');
  const sealing = await openSealing({ records, masters, nowMs, onTrouble });
  const { codec, tokens, keys } = sealing;
  const secret: Vault['secret'] = (name) => openSecret(name, createDataKeyTable(records), masters, nowMs());
  const texts = createTextSealing(await secret(TEXT_SECRET));
  const { seal, open } = ownSealing(sealing, nowMs);
  const making = { sealing: sealedByMasterKeys(masters), nowMs, randomBytes: (count: number) => randomBytes(count) };
  const trail = new AuditTrail({
    ...{ store: records, key: keyInUse(records, making), nowMs, after, onTrouble },
    // Kept elsewhere, the logs hold against who can change the whole database.
    onHead: (head) => logger.info(head, 'the audit up to here is signed'),
  });
  const record: Vault['record'] = async (tx, draft) => {
    await trail.append(tx, [draft]);
  };
  const identity = createIdentity({
    ...{ store: records, nowMs, seal, open, record, provider, onTrouble },
    randomBytes: (count) => randomBytes(count),
    ...(settings !== undefined && { settings }),
  });
  const stopSweeping = every(SWEEP_MS, () => identity.sweep(), onTrouble);
  return {
    ...{ codec, tokens, keys, trail, identity, record, seal, open },
    ...{ texts, secret },
    async verifyAudit() {
      const publicKeys = (await listPublicKeys(records.db)).map(({ publicKey }) => publicKey);
      return await verifyAudit(storeAuditSource(records.db), { publicKeys });
    },
    async close() {
      stopSweeping();
      sealing.close();
      await identity.close();
      await trail.close();
    },
  };
}

/** Ids of new rows, in the order of their making. */
export function newId(nowMs: number): string {
  return `${nowMs.toString(36).padStart(9, '0')}-${randomUUID().slice(0, 13)}`;
}

function codeOf(error: Error): string {
  return String((error as { code?: unknown }).code ?? error.name);
}

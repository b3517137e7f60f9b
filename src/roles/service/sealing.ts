// What seals and opens customers' fields: their data keys in the records, wrapped by the master, and the tokens of their ids.
// The service has it, and so has a worker of its own that reads what the service has sealed.
import type { MasterKeys } from '../../ports.ts';
import { DataKeys } from '../../privacy/data-keys.ts';
import { openPepper } from '../../privacy/pepper.ts';
import { TransactionCodec } from '../../privacy/sealed-transaction.ts';
import { Tokens } from '../../privacy/tokens.ts';
import { createDataKeyTable } from '../../records/keys/data-key-table.ts';
import { noteMasterKeys } from '../../records/keys/master-rotation.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { every } from './every.ts';

export interface Sealing {
  readonly keys: DataKeys;
  readonly tokens: Tokens;
  readonly codec: TransactionCodec;
  close(): void;
}

export interface SealingParts {
  readonly records: RecordStore;
  readonly masters: MasterKeys;
  readonly nowMs: () => number;
  readonly onTrouble: (error: Error) => void;
}

/** A key that another process destroyed is forgotten within it. */
const REFRESH_MS = 2000;

/** @throws InputError, KeysUnavailableError */
export async function openSealing({ records, masters, nowMs, onTrouble }: SealingParts): Promise<Sealing> {
  const table = createDataKeyTable(records);
  await noteMasterKeys(records, masters, nowMs());
  const tokens = new Tokens(await openPepper(table, masters, nowMs()));
  const keys = new DataKeys({ table, masters });
  const close = every(REFRESH_MS, () => keys.refresh(nowMs()), onTrouble);
  return { keys, tokens, codec: new TransactionCodec(keys, tokens), close };
}

// What seals and opens customers' fields: their data keys in the records, wrapped by the master, and the tokens of their ids.
// The service has it, and so has a worker of its own that reads what the service has sealed.
import type { MasterKeys } from '../../ports.ts';
import { DataKeys } from '../../privacy/data-keys.ts';
import { keyIdOf, openBytes, type SealedPlace, sealBytes } from '../../privacy/envelope.ts';
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

/** Of values that are nobody's: secrets of Centinela. */
export interface OwnSealing {
  seal(bytes: Uint8Array, place: SealedPlace): Promise<Uint8Array>;
  open(sealed: Uint8Array, place: SealedPlace): Promise<Uint8Array>;
}

/** Whose key seals what is nobody's. */
const OWN_SUBJECT = 'centinela';

export function ownSealing({ keys, tokens }: Pick<Sealing, 'keys' | 'tokens'>, nowMs: () => number): OwnSealing {
  return {
    async seal(bytes, place) {
      const subject = tokens.subject(OWN_SUBJECT);
      return sealBytes((await keys.keysToSeal([subject], nowMs())).get(subject)!, bytes, place);
    },
    async open(sealed, place) {
      const id = keyIdOf(sealed);
      const key = (await keys.keysToOpen([id])).get(id);
      if (key === undefined || key === 'erased') throw new Error('a key of our own is gone');
      return openBytes(key, sealed, place);
    },
  };
}

// How far the audit is signed, as this process knows it: evidence names it while the stream goes on, so it is looked up beside
// the stream and never waited for. It may lag by some seconds; what it names is signed and stays so.
import type { ChainPoint } from '../../audit/chain.ts';
import { newestHead } from '../../records/audit/heads.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { every } from './every.ts';

export interface SignedHead {
  /** null where nothing is signed yet. */
  readonly current: () => ChainPoint | null;
  readonly close: () => void;
}

/** Heads are signed a minute after the first entry that is not. */
const LOOK_MS = 5000;

export async function followSignedHead(
  { db }: RecordStore,
  onTrouble: (error: Error) => void,
  lookMs = LOOK_MS,
): Promise<SignedHead> {
  let newest = await newestHead(db);
  const look = async () => {
    newest = (await newestHead(db)) ?? newest;
  };
  return { current: () => newest, close: every(lookMs, look, onTrouble) };
}

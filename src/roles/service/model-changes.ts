// Approved changes of the live model onto the stream's topic of changes. They are sent again where the service died before it
// noted that they were: to make the same change twice is to make it once.
import { SYSTEM } from '../../identity/principal.ts';
import type { StreamLog } from '../../ports.ts';
import { lockAudit } from '../../records/audit/append.ts';
import { changeAsked, changesToSend, controlOf, markSent } from '../../records/models/model-changes.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { every } from './every.ts';
import { newId, type Vault } from './vault.ts';

export interface ModelChangeSender {
  send(): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MS = 5_000;
const MOST_AT_ONCE = 20;

export function startModelChanges(
  {
    records,
    vault,
    log,
    topic,
  }: {
    readonly records: RecordStore;
    readonly vault: Pick<Vault, 'trail'>;
    readonly log: Pick<StreamLog, 'append'>;
    readonly topic: string;
  },
  onTrouble: (error: Error) => void,
): ModelChangeSender {
  const { kind, id, name } = SYSTEM;
  const sendAll = async () => {
    for (const row of await changesToSend(records.db, MOST_AT_ONCE)) {
      const value = Buffer.from(JSON.stringify(controlOf(changeAsked(row))));
      await log.append([{ topic, partition: 0, key: null, value, headers: [], timestampMs: null }]);
      await records.transact(async (tx) => {
        await lockAudit(tx);
        const atMs = Date.now();
        const by = { kind, id, name };
        const act = { by, permissions: new Set<string>(), atMs, address: null, newId: () => newId(atMs) };
        await vault.trail.append(tx, (await markSent(tx, row.id, act)).audit);
      });
    }
  };
  let last = Promise.resolve();
  /** One at a time: whoever asks meanwhile has it done after. */
  const send = () => {
    last = last.then(sendAll).catch(onTrouble);
    return last;
  };
  // What a process before this one has left.
  void send();
  const stop = every(LOOK_MS, send, onTrouble);
  return {
    send,
    async close() {
      stop();
      await last;
    },
  };
}

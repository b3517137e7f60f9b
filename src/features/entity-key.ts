// The text by which all events of one entity find each other, where events are shared out by entity.
import type { Transaction } from '../domain/transaction.ts';
import type { EntityKind } from './definition.ts';
import { placeCell } from './event.ts';

/** A pair has its payer's. */
export type EntityKeyKind = Exclude<EntityKind, 'pair'>;

/** null where the event has no such entity; two events of one entity have one key. */
export function entityKey(tx: Transaction, kind: EntityKeyKind): string | null {
  switch (kind) {
    case 'payer':
      return tx.payerId;
    case 'card':
      return tx.cardId;
    case 'device':
      return tx.deviceId;
    case 'payee':
      return tx.payeeId;
    case 'terminal':
      return tx.terminalId ?? tx.merchantId;
    default:
      if (tx.ubigeo !== null) return tx.ubigeo;
      if (tx.latitude === null || tx.longitude === null) return null;
      return `${placeCell(tx.latitude)}/${placeCell(tx.longitude)}`;
  }
}

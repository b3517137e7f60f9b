// What else a customer who is to be erased is known by: documents, accounts, cards and names in the customer's own transactions,
// read while they can still be opened. Transactions with an alert are known by customer; of the others the stream alone knows
// whose they are, so what is only in them is named by who asks for the erasure.
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import type { StreamLog } from '../../ports.ts';
import { EnvelopeError } from '../../privacy/envelope.ts';
import { isSealedTransaction, type TransactionCodec } from '../../privacy/sealed-transaction.ts';
import type { SubjectToken, Tokens } from '../../privacy/tokens.ts';
import { listAlerts } from '../../records/alerts/list-alerts.ts';
import type { ErasedCustomer } from '../../records/keys/erasures.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { identifierTokens } from './listed-customers.ts';

export interface IdentifierSources {
  readonly records: RecordStore;
  readonly log: Pick<StreamLog, 'read' | 'bounds'>;
  readonly topic: string;
  readonly tokens: Tokens;
  readonly codec: TransactionCodec;
}

/** The newest ones. */
const MOST_TRANSACTIONS = 200;

/** Tokens of all of it; what the stream does not hold any more, or cannot be opened, is passed over. */
export async function customerIdentifiers(
  { records, log, topic, tokens, codec }: IdentifierSources,
  { subject, customerId }: ErasedCustomer,
): Promise<ReadonlySet<SubjectToken>> {
  const found = new Set<SubjectToken>();
  if (customerId === null) return found;
  const { rows } = await listAlerts(records.db, { customer: customerId }, 'newest', null, MOST_TRANSACTIONS);
  const bounds = new Map((await log.bounds(topic)).map((each) => [each.partition, each]));
  for (const { log_partition: partition, log_offset: offset } of rows) {
    const within = bounds.get(partition);
    if (within === undefined || offset < within.start || offset >= within.end) continue;
    const [record] = await log.read({ topic, partition, offset }, 1, 0);
    if (record?.value == null || record.offset !== offset || !isSealedTransaction(record.value)) continue;
    const opened = await codec.openAll([record.value]).catch(nothingOfBroken);
    for (const { transaction } of opened) {
      if (codec.subjectOf(transaction) !== subject) continue;
      for (const value of ownValues(transaction)) for (const token of identifierTokens(value, tokens)) found.add(token);
    }
  }
  return found;
}

/** Of whom the transaction is: the payer, without one the card, then the payee (sealed-transaction.ts). */
function ownValues(transaction: Transaction): readonly string[] {
  const { payerId, payerDocument, payerAccount, payerName, cardId } = transaction;
  const { payeeId, payeeDocument, payeeAccount, payeeName } = transaction;
  const own =
    payerId !== null
      ? [payerId, payerDocument, payerAccount, payerName, cardId]
      : cardId !== null
        ? [cardId]
        : [payeeId, payeeDocument, payeeAccount, payeeName];
  return own.filter((value): value is string => value !== null && value.trim() !== '');
}

/** One that cannot be read must not keep the others from being found. */
function nothingOfBroken(error: unknown): readonly [] {
  if (error instanceof InputError || error instanceof EnvelopeError) return [];
  throw error;
}

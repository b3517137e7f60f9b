// The canonical transaction as a JSON Schema document, for other systems and for the documentation.
import { TransactionSchema } from './transaction.ts';

/** JSON Schema (draft 2020-12) of a canonical transaction; a fresh plain object each time. */
export function transactionJsonSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Transaction',
    ...(JSON.parse(JSON.stringify(TransactionSchema)) as Record<string, unknown>),
  };
}

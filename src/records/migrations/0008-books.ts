// How far the rule book and the lists are in the audit.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0008-books',
  statements: [
    `CREATE TABLE audited_books (
      book text PRIMARY KEY,
      number integer NOT NULL CHECK (number > 0),
      hash text NOT NULL
    )`,
  ],
};

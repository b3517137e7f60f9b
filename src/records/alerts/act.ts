// Who does something with an alert or a case, and what is told about it: the case's own history, and what goes into the audit.
import type { Kysely } from 'kysely';
import type { Doer } from '../../alerts/case-life.ts';
import type { AuditEntryDraft, JsonValue } from '../../audit/entry.ts';
import { InputError } from '../../lib/errors.ts';
import type { TextSealing } from '../../privacy/sealed-text.ts';
import type { Database } from '../database.ts';
import { insertMany } from './bulk.ts';
import { type WrittenField, writtenPlace } from './written-places.ts';

export interface Act {
  readonly by: AuditEntryDraft['actor'];
  /** Of identity/permissions.ts. */
  readonly permissions: ReadonlySet<string>;
  readonly atMs: number;
  /** Where the request came from; null where there was none. */
  readonly address: string | null;
  /** Ids of new rows; each call another one. */
  readonly newId: () => string;
  /** Seals what people write; left out where nobody writes: programs name nobody. */
  readonly texts?: TextSealing;
}

/** What came of it, and the entries of the audit that the caller writes in the same transaction. */
export interface Done<Result> {
  readonly result: Result;
  readonly audit: readonly AuditEntryDraft[];
}

export type Tx = Kysely<Database>;

export function doerOf({ by, permissions }: Act): Doer {
  return { kind: by.kind, id: by.id, permissions };
}

export function auditDraft(
  { by, atMs, address }: Act,
  action: string,
  subject: NonNullable<AuditEntryDraft['subject']>,
  detail: AuditEntryDraft['detail'] = {},
): AuditEntryDraft {
  return { atMs, actor: by, action, subject, detail, address };
}

/** What somebody wrote, as its row keeps it. @param row the row's id */
export function keepText({ texts }: Act, text: string, field: WrittenField, row: string): string {
  return texts === undefined || text === '' ? text : texts.seal(text, writtenPlace(field, row));
}

/** What its row keeps, as it was written. */
export function readText({ texts }: Act, kept: string, field: WrittenField, row: string): string {
  return texts === undefined ? kept : texts.open(kept, writtenPlace(field, row));
}

export function byColumns({ by }: Act) {
  return { by_kind: by.kind, by_id: by.id, by_name: by.name };
}

export interface Change {
  readonly caseId: string;
  readonly alertId?: string;
  /** `state`, `assignee`, `merged`, `tags` … */
  readonly what: string;
  readonly from: JsonValue;
  readonly to: JsonValue;
  readonly reason?: string;
  readonly isConfidential?: boolean;
}

/** Ids are in the order of the changes, so that changes of one moment are read in their order. */
export async function writeHistory(tx: Tx, act: Act, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const prefix = act.newId();
  const rows = changes.map((change, at) => ({ ...change, id: `${prefix}-${String(at).padStart(5, '0')}` }));
  await insertMany(tx, 'case_history', rows, [
    ['id', 'text', ({ id }) => id],
    ['case_id', 'text', ({ caseId }) => caseId],
    ['alert_id', 'text', ({ alertId }) => alertId ?? null],
    ['what', 'text', ({ what }) => what],
    ['from_value', 'jsonb', ({ from }) => JSON.stringify(from)],
    ['to_value', 'jsonb', ({ to }) => JSON.stringify(to)],
    [
      'reason',
      'text',
      ({ id, reason }) => (reason === undefined ? null : keepText(act, reason, 'case_history.reason', id)),
    ],
    ['by_kind', 'text', () => act.by.kind],
    ['by_id', 'text', () => act.by.id],
    ['by_name', 'text', () => act.by.name],
    ['at_ms', 'bigint', () => act.atMs],
    ['is_confidential', 'boolean', ({ isConfidential }) => isConfidential ?? false],
  ]);
}

export function notFound(what: string, id: string): InputError {
  return new InputError('NOT_FOUND', `There is no ${what} '${id}'`, 'Look for it in the list');
}

/** @throws InputError with code `VERSION_CONFLICT` where another one was first */
export function demandChanged(changed: bigint, what: string, id: string): void {
  if (changed === 1n) return;
  throw new InputError('VERSION_CONFLICT', `The ${what} '${id}' was changed meanwhile`, 'Look at it again and repeat');
}

// What the audit says, newest first: by who, what, about what and when, a page at a time.
import { type Kysely, sql } from 'kysely';
import { type AuditEntry, readEntry } from '../../audit/chain.ts';
import { InputError } from '../../lib/errors.ts';
import type { Database } from '../database.ts';

export interface AuditFilter {
  readonly actorId?: string;
  /** `alert.` for all that is done with alerts, `alert.assigned` for one thing. */
  readonly actionPrefix?: string;
  readonly subject?: { readonly kind: string; readonly id: string };
  readonly fromMs?: number;
  /** Before this time. */
  readonly untilMs?: number;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** For the next page; null on the last. */
  readonly before: number | null;
}

const MOST_AT_ONCE = 500;

/**
 * @param before only entries older than this one: `before` of the page before
 * @param limit 1 to 500
 */
export async function listAudit(
  db: Kysely<Database>,
  filter: AuditFilter,
  before: number | null,
  limit: number,
): Promise<AuditPage> {
  const count = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(limit)));
  const { actorId, actionPrefix, subject, fromMs, untilMs } = filter;
  let query = db
    .selectFrom('audit_entries')
    .select(['sequence', 'text'])
    .orderBy('sequence', 'desc')
    .limit(count + 1);
  if (before !== null) query = query.where('sequence', '<', before);
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
  if (subject !== undefined) {
    query = query.where('subject_id', '=', subject.id).where('subject_kind', '=', subject.kind);
  }
  if (fromMs !== undefined) query = query.where('at_ms', '>=', fromMs);
  if (untilMs !== undefined) query = query.where('at_ms', '<', untilMs);
  if (actionPrefix !== undefined) {
    const [area, rest] = actionPrefix.split(/\.(.*)/s);
    if (rest !== undefined) query = query.where(sql`split_part(action, '.', 1)`, '=', area);
    if (rest !== '') query = query.where(sql<boolean>`starts_with(action, ${actionPrefix})`);
  }
  const rows = await query.execute();
  const entries = rows.slice(0, count).map(({ sequence, text }) => readEntry(text) ?? unreadable(sequence));
  return { entries, before: rows.length > count ? entries.at(-1)!.sequence : null };
}

/** What the entries say is shown; one that was changed shows nothing. */
function unreadable(sequence: number): never {
  const hint = "See 'centinela audit verify'";
  throw new InputError('AUDIT_ENTRY_CHANGED', `Entry ${sequence} of the audit is not what was written`, hint);
}

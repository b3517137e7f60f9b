// Decisions as the archive keeps them: every field of the record has a column, and reading gives the same record back.
//
// No personal data in clear: a record names the transaction, amounts, rules and reasons, never people, documents or
// accounts (pipeline/stream/outputs.ts), so erasing a person's data leaves the archive as it is.
import type { DecisionRecord } from '../../pipeline/stream/outputs.ts';
import type { Condition } from './conditions.ts';
import type { ArchivedRow, ArchivedTable, ColumnShape } from './table.ts';

const PLACE_OF_STREAM = { fields: { partition: 'integer', offset: 'integer' } } as const;

/** A field that is added to decisions needs a column here: without one this does not compile. */
type Every = { readonly [Field in keyof DecisionRecord]-?: ColumnShape };

const COLUMNS = {
  id: 'text',
  eventTimeMs: 'integer',
  action: 'text',
  intended: 'text',
  by: 'text',
  risk: 'number',
  modelRisk: 'number',
  expectedLossMinor: 'number',
  rules: { listOf: 'text' },
  silenced: { listOf: { fields: { rule: 'text', silence: 'text' } } },
  reasons: { listOf: { fields: { code: 'text', weight: 'number', es: 'text', en: 'text' } } },
  versions: { fields: { model: 'text', rules: 'text' } },
  degraded: { listOf: 'text' },
  at: PLACE_OF_STREAM,
  stageAt: PLACE_OF_STREAM,
  evidence: 'text',
  amountMinor: 'integer',
  currency: 'text',
  thresholds: 'text',
  listed: { listOf: { fields: { rule: 'text', list: 'text', entry: 'integer' } } },
} as const satisfies Every & Record<string, ColumnShape>;

/** Left out of a record, rather than null in it, where there is none. */
const OPTIONAL = ['stageAt', 'evidence', 'amountMinor', 'currency', 'thresholds', 'listed'];

export const DECISIONS_TABLE: ArchivedTable = { name: 'decisions', columns: COLUMNS, idColumn: 'id' };

export interface ArchivedDecision {
  /** When it was decided, ms UTC: when the record was written. */
  readonly decidedMs: number;
  /** Of the log's topic of decisions. */
  readonly logPartition: number;
  readonly logOffset: number;
  readonly id: string;
  /** null where the record could not be read. */
  readonly decision: DecisionRecord | null;
  /** The record's text where it could not be read; otherwise null. */
  readonly unread: string | null;
}

/** What is searched for; what is left out does not matter. From is included, until is not. */
export interface DecisionFilter {
  /** Of the decision. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Of the event. */
  readonly eventFromMs?: number;
  readonly eventUntilMs?: number;
  /** One of them. */
  readonly actions?: readonly string[];
  readonly by?: string;
  /** `id`, or `id@version`, of a rule that had a say. */
  readonly rule?: string;
  readonly minRisk?: number;
  readonly maxRisk?: number;
}

export function decisionOf(row: ArchivedRow): ArchivedDecision {
  const { recordedMs, partition, offset, values, unread } = row;
  const place = { decidedMs: recordedMs, logPartition: partition, logOffset: offset };
  return { ...place, id: String(values.id), decision: unread === null ? recordOf(values) : null, unread };
}

function recordOf(values: ArchivedRow['values']): DecisionRecord {
  const given = Object.entries(values).filter(([name, value]) => value !== null || !OPTIONAL.includes(name));
  return Object.fromEntries(given) as unknown as DecisionRecord;
}

export function conditionsOf(filter: DecisionFilter): Condition[] {
  const { eventFromMs, eventUntilMs, actions, by, rule, minRisk, maxRisk } = filter;
  return [
    ...(eventFromMs !== undefined ? [{ column: 'eventTimeMs', is: 'at-least', value: eventFromMs } as const] : []),
    ...(eventUntilMs !== undefined ? [{ column: 'eventTimeMs', is: 'below', value: eventUntilMs } as const] : []),
    ...(actions !== undefined ? [{ column: 'action', is: 'one-of', values: actions } as const] : []),
    ...(by !== undefined ? [{ column: 'by', is: 'one-of', values: [by] } as const] : []),
    ...(rule !== undefined ? [{ column: 'rules', is: 'with-version-of', value: rule } as const] : []),
    ...(minRisk !== undefined ? [{ column: 'risk', is: 'at-least', value: minRisk } as const] : []),
    ...(maxRisk !== undefined ? [{ column: 'risk', is: 'at-most', value: maxRisk } as const] : []),
  ];
}

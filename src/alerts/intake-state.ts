// What has to be known of what is open in order to take alerts in, and what taking them in comes to.
import { isoDate, limaDayNumber } from '../domain/calendar.ts';
import { hashText } from '../lib/hash.ts';
import type { AlertRecord } from './alert-record.ts';
import type { Severity } from './severity.ts';
import type { Suppression } from './suppression.ts';
import type { Family } from './typology.ts';

/** An alert that people see and nobody has decided. */
export interface OpenAlert {
  readonly id: string;
  readonly customerId: string | null;
  readonly typology: string;
  /** Event times of its first and last transaction. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** When it came in. */
  readonly createdMs: number;
  /** Itself and those that joined it. */
  readonly transactions: number;
  /** Of all its transactions, where it is known. */
  readonly solesMinor: number;
  readonly unknownAmounts: number;
  readonly lossMinor: number;
  readonly risk: number | null;
  readonly severity: Severity;
  readonly queue: string;
  readonly priority: number;
  readonly firstLookDueMs: number;
  readonly decisionDueMs: number;
  readonly caseId: string;
}

export interface OpenCase {
  readonly id: string;
  /** Of the severest alert, the earliest of several. */
  readonly typology: string;
  readonly family: Family;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly openedMs: number;
  readonly alerts: number;
  readonly transactions: number;
  /** The customers in the order in which they came, at most `MOST_CUSTOMERS_KEPT`. */
  readonly customers: readonly string[];
  readonly solesMinor: number;
  readonly unknownAmounts: number;
  readonly lossMinor: number;
  readonly risk: number | null;
  readonly severity: Severity;
  readonly queue: string;
  readonly priority: number;
  readonly firstLookDueMs: number;
  readonly decisionDueMs: number;
}

/** That a customer's alerts of a case have something (a device, a payee) that others may have too. */
export interface CaseLink {
  /** What kind and which: `device:4f…`. */
  readonly key: string;
  readonly customerId: string;
  readonly caseId: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Of what is open: all that the records of a batch may touch. */
export interface IntakeState {
  /** Ids of the batch that were taken in before. */
  readonly known: ReadonlySet<string>;
  readonly alerts: readonly OpenAlert[];
  readonly cases: readonly OpenCase[];
  readonly links: readonly CaseLink[];
  readonly suppressions: readonly Suppression[];
}

export interface TakenAlert {
  readonly record: AlertRecord;
  readonly state: 'new' | 'joined' | 'suppressed';
  readonly typology: string;
  readonly severity: Severity;
  /** The alert that it joined. */
  readonly joinedTo: string | null;
  readonly caseId: string | null;
  readonly suppressionId: string | null;
}

export interface IntakePlan {
  /** In order of event time and id. */
  readonly taken: readonly TakenAlert[];
  /** As they are afterwards; new ones are among `taken`, by their id. */
  readonly alerts: readonly OpenAlert[];
  readonly newCases: readonly OpenCase[];
  readonly changedCases: readonly OpenCase[];
  /** Cases that were there and are part of another one now. */
  readonly merges: readonly { readonly from: string; readonly into: string; readonly because: string }[];
  /** New and moved ones. */
  readonly links: readonly CaseLink[];
  /** How many the batch had before that, and how often the batch said the same twice. */
  readonly repeated: number;
}

export const MOST_CUSTOMERS_KEPT = 200;

const low = new Int32Array(1);
const high = new Int32Array(1);

/** The same for the same first alert, whenever it is taken in: `C-20260113-9f86d081884c7d65`. */
export function caseIdOf(firstAlertId: string, eventTimeMs: number): string {
  hashText(firstAlertId, low, high, 0);
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  const day = isoDate(limaDayNumber(eventTimeMs)).replaceAll('-', '');
  return `C-${day}-${hex(high[0])}${hex(low[0])}`;
}

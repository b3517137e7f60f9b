// What the report shows, as plain data: the job that ran fills it in, the page, the CSV and the terminal only draw it.
//
// Identifiers arrive as they may be shown (masked by the caller where needed). Times are UTC milliseconds and are shown
// in Lima time unless the summary says otherwise; amounts are minor units with their ISO 4217 currency.
import type { DecisionCosts } from '../decisions/money-policy.ts';
import type { Reason } from '../decisions/reasons/reason.ts';
import type { CHANNELS } from '../domain/transaction.ts';

export type Channel = (typeof CHANNELS)[number];

export type Locale = 'es' | 'en';

/** A text in both languages; every text of the report is one. */
export interface Bilingual {
  readonly es: string;
  readonly en: string;
}

export interface MoneyTotal {
  readonly currency: string;
  readonly rows: number;
  readonly amountMinor: number;
}

export interface ReportDetector {
  readonly name: string;
  readonly role: Bilingual;
  /** Learned from the labels of the file. */
  readonly supervised: boolean;
  readonly fitSeconds: number | null;
}

export interface ReportSummary {
  readonly fileName: string;
  /** First and last event time; null when no row was read. */
  readonly periodMs: readonly [number, number] | null;
  readonly rows: number;
  readonly rejected: number;
  readonly rejectedByReason: readonly { readonly reason: Bilingual; readonly rows: number }[];
  /** Distinct payers, payees, terminals … seen. */
  readonly entities: readonly { readonly label: Bilingual; readonly count: number }[];
  readonly amounts: readonly MoneyTotal[];
  readonly flagged: number;
  readonly flaggedAmounts: readonly MoneyTotal[];
  /** Rows with a known label and how many of them are fraud or error; null without labels. */
  readonly labels: { readonly known: number; readonly positive: number } | null;
  readonly detectors: readonly ReportDetector[];
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly seed: number;
  readonly version: string;
  /** When the analysis ended. */
  readonly createdMs: number;
  /** Time zone of the file's clock times, minutes east of UTC; Lima (−300) where not given. */
  readonly utcOffsetMinutes?: number;
}

export type ReportDecision = 'decline' | 'hold' | 'challenge' | 'review' | 'approve';

export interface HistoryPoint {
  readonly timeMs: number;
  readonly amountMinor: number;
  readonly flagged: boolean;
}

export interface ReportAnomaly {
  /** 1 is the most anomalous. */
  readonly rank: number;
  readonly id: string;
  readonly timeMs: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly payer: string | null;
  readonly payee: string | null;
  readonly terminal: string | null;
  /** 0 ordinary … 1 most anomalous; of model and rules. */
  readonly score: number;
  /** Calibrated probability of fraud or error; null where it is not known. */
  readonly probability: number | null;
  /** The model's own part of the score. */
  readonly modelRisk: number;
  /** `id@version` of the rules that fired. */
  readonly rules: readonly string[];
  readonly decision: ReportDecision;
  readonly reasons: readonly Reason[];
  /** Each detector's own view of this row. */
  readonly detectors: readonly { readonly name: string; readonly score: number; readonly agrees: boolean }[];
  /** Data-quality codes found in the row. */
  readonly qualityCodes: readonly string[];
  readonly label: 'fraud' | 'genuine' | null;
  /** F01–F20, E01–E15 or another name that the label gives. */
  readonly typology: string | null;
  /** Number of its `AnomalyGroup`; null where it is in none. */
  readonly group: number | null;
  /** The payer's recent transactions in the same currency, this one included, oldest first; at most 200 are drawn. */
  readonly history: readonly HistoryPoint[];
}

/** Anomalies that were flagged for like reasons. */
export interface AnomalyGroup {
  /** From 1, the largest first. */
  readonly number: number;
  readonly count: number;
  readonly amounts: readonly MoneyTotal[];
  /** Of its anomalies with a known label, how many are fraud or error; null without labels. */
  readonly labels: { readonly known: number; readonly positive: number } | null;
  /** Reasons that many of its anomalies share, with the share that has each; what sets the group apart comes first. */
  readonly reasons: readonly { readonly code: string; readonly share: number }[];
  /** Commonest first, with their share of the group; those that the file does not tell are left out. */
  readonly channels: readonly { readonly channel: Channel; readonly share: number }[];
  /** The shortest stretch of the day with most of the group: the hours `from` to `to` (on the next day where smaller). */
  readonly hours: { readonly from: number; readonly to: number; readonly share: number };
  /** Ranks of its riskiest anomalies. */
  readonly examples: readonly number[];
}

/** Rows per equal-width bin of the score over [0, 1]. */
export interface ScoreHistogram {
  readonly counts: readonly number[];
  /** Of those, rows labelled fraud or error; null without labels. */
  readonly positives: readonly number[] | null;
  /** Scores at or above it are flagged; NaN where amounts decide as well. */
  readonly threshold: number;
}

export interface PrecisionRecallPoint {
  readonly recall: number;
  readonly precision: number;
}

export interface DetectorEvaluation {
  readonly name: string;
  readonly supervised: boolean;
  readonly aucRoc: number;
  readonly averagePrecision: number;
  readonly precisionAt: readonly { readonly k: number; readonly precision: number }[];
  /** Recall ascending; up to a few hundred points. */
  readonly curve: readonly PrecisionRecallPoint[];
}

export interface ReportEvaluation {
  /** What was measured on: the later rows, not trained on. */
  readonly rows: number;
  readonly positives: number;
  readonly periodMs: readonly [number, number] | null;
  /** Best first; the combined score, if any, is one of them. */
  readonly detectors: readonly DetectorEvaluation[];
  /** Where the report's own threshold stands on the evaluation rows. */
  readonly operatingPoint: PrecisionRecallPoint | null;
}

/** Transactions of about the same risk: what was foretold and what happened. */
export interface ReliabilityPoint {
  readonly rows: number;
  readonly frauds: number;
  readonly meanProbability: number;
  /** 95 % interval of the share of frauds. */
  readonly low: number;
  readonly high: number;
}

export interface CostPoint {
  readonly flaggedPerDay: number;
  /** Céntimos of soles. */
  readonly costPerDayMinor: number;
}

/** What decisions cost on the evaluated rows. */
export interface ReportCosts {
  readonly days: number;
  readonly costs: DecisionCosts;
  /** One threshold of the risk for all transactions, from the highest to the lowest; alerts per day ascend. */
  readonly curve: readonly CostPoint[];
  /** The decisions of this report. */
  readonly chosen: CostPoint;
  /** They were taken by cost, transaction by transaction. */
  readonly chosenByCost: boolean;
  readonly cheapest: CostPoint & { readonly threshold: number };
  /** The cheapest decision for each transaction by its probability and amount. */
  readonly byCost: CostPoint;
  readonly approveAllPerDayMinor: number;
}

export interface AlertTimeline {
  readonly days: readonly { readonly dayStartMs: number; readonly alerts: number; readonly rows: number }[];
  /** 24 entries, hour of the day in Lima. */
  readonly hours: readonly { readonly alerts: number; readonly rows: number }[];
}

export interface TypologyRecall {
  readonly code: string;
  readonly name: Bilingual;
  readonly rows: number;
  readonly flagged: number;
}

export interface Driver {
  readonly feature: string;
  readonly meaning: Bilingual;
  /** Share of the total importance, 0..1. */
  readonly share: number;
}

export interface QualityFinding {
  readonly code: string;
  readonly text: Bilingual;
  readonly rows: number;
  readonly severity: 'error' | 'warning' | 'info';
}

export interface ReportData {
  readonly summary: ReportSummary;
  /** By rank; the page is meant for up to 200. */
  readonly anomalies: readonly ReportAnomaly[];
  /** Of all explained anomalies; empty where they do not fall into groups. */
  readonly groups: readonly AnomalyGroup[];
  readonly scores: ScoreHistogram | null;
  readonly evaluation: ReportEvaluation | null;
  /** By ascending risk; null where the risk is no probability or there are no labels. */
  readonly reliability: readonly ReliabilityPoint[] | null;
  readonly costs: ReportCosts | null;
  readonly timeline: AlertTimeline | null;
  readonly typologies: readonly TypologyRecall[];
  readonly drivers: readonly Driver[];
  readonly quality: readonly QualityFinding[];
  /** Further remarks on how to read this result. */
  readonly notes: readonly Bilingual[];
  /** What was not checked, and why. */
  readonly notChecked: readonly Bilingual[];
}

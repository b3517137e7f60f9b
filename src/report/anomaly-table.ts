// The ranked anomalies as a flat table, for anomalies.csv.
import { exponentOf } from '../domain/money.ts';
import { limaIso } from './lima-time.ts';
import type { ReportAnomaly, ReportData } from './report-data.ts';

export type Cell = string | number | null;

interface Column {
  readonly name: string;
  readonly cell: (anomaly: ReportAnomaly) => Cell;
}

/** A spreadsheet runs a cell that starts with one of these as a formula (OWASP, "CSV injection"). */
const FORMULA_START = /^[=+\-@\t\r]/;

const COLUMNS: readonly Column[] = [
  { name: 'rank', cell: ({ rank }) => rank },
  { name: 'id', cell: ({ id }) => safe(id) },
  { name: 'time_lima', cell: ({ timeMs }) => limaIso(timeMs) },
  { name: 'amount', cell: ({ amountMinor, currency }) => amountMinor / 10 ** exponentOf(currency) },
  { name: 'currency', cell: ({ currency }) => currency },
  { name: 'payer', cell: ({ payer }) => safe(payer) },
  { name: 'payee', cell: ({ payee }) => safe(payee) },
  { name: 'terminal', cell: ({ terminal }) => safe(terminal) },
  { name: 'score', cell: ({ score }) => score },
  { name: 'probability', cell: ({ probability }) => probability },
  { name: 'decision', cell: ({ decision }) => decision },
  ...[1, 2, 3].flatMap(reasonColumns),
  { name: 'cluster', cell: ({ group }) => group },
  { name: 'detectors_agreeing', cell: ({ detectors }) => words(detectors.filter((d) => d.agrees).map((d) => d.name)) },
  { name: 'detector_scores', cell: ({ detectors }) => words(detectors.map((d) => `${d.name}=${d.score.toFixed(4)}`)) },
  { name: 'quality_codes', cell: ({ qualityCodes }) => words(qualityCodes) },
  { name: 'label', cell: ({ label }) => label },
  { name: 'typology', cell: ({ typology }) => safe(typology) },
  { name: 'rules', cell: ({ rules }) => words(rules) },
  { name: 'model_risk', cell: ({ modelRisk }) => modelRisk },
];

/** The names of the columns, in the order of the cells of `anomalyTableRows`. */
export const anomalyColumns: readonly string[] = COLUMNS.map(({ name }) => name);

/** One row per anomaly in rank order; texts are safe to open in a spreadsheet, amounts are in currency units. */
export function anomalyTableRows(data: Pick<ReportData, 'anomalies'>): Cell[][] {
  return data.anomalies.map((anomaly) => COLUMNS.map(({ cell }) => cell(anomaly)));
}

function reasonColumns(n: number): Column[] {
  return [
    { name: `reason_${n}_code`, cell: ({ reasons }) => reasons[n - 1]?.code ?? null },
    { name: `reason_${n}_weight`, cell: ({ reasons }) => rounded(reasons[n - 1]?.weight) },
    { name: `reason_${n}_es`, cell: ({ reasons }) => safe(reasons[n - 1]?.es ?? null) },
    { name: `reason_${n}_en`, cell: ({ reasons }) => safe(reasons[n - 1]?.en ?? null) },
  ];
}

function rounded(weight: number | undefined): number | null {
  return weight === undefined ? null : Math.round(weight * 1000) / 1000;
}

function words(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : safe(texts.join(' '));
}

function safe(text: string | null): string | null {
  return text !== null && FORMULA_START.test(text) ? `'${text}` : text;
}

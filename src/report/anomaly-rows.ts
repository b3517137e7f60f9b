// The ranked anomalies as a flat table, for anomalies.csv.
import { exponentOf } from '../domain/money.ts';
import { limaIso } from './lima-time.ts';
import type { ReportAnomaly, ReportData } from './report-data.ts';

export type Cell = string | number | null;

export interface AnomalyTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const REASON_COLUMNS = 3;

/** A spreadsheet runs a cell that starts with one of these as a formula (OWASP, "CSV injection"). */
const FORMULA_START = /^[=+\-@\t\r]/;

/** Columns and values in rank order; texts are safe to open in a spreadsheet, amounts are in currency units. */
export function anomalyTableRows(data: Pick<ReportData, 'anomalies'>): AnomalyTable {
  const detectors = [...new Set(data.anomalies.flatMap((anomaly) => anomaly.detectors.map(({ name }) => name)))];
  const columns = [
    'rank',
    'id',
    'time_lima',
    'amount',
    'currency',
    'payer',
    'payee',
    'terminal',
    'score',
    'probability',
    'decision',
    ...numbered((n) => [`reason_${n}_code`, `reason_${n}_es`, `reason_${n}_en`, `reason_${n}_weight`]),
    'quality_codes',
    'label',
    'typology',
    ...detectors.map((name) => `score_${name}`),
  ];
  return { columns, rows: data.anomalies.map((anomaly) => rowOf(anomaly, detectors)) };
}

function rowOf(anomaly: ReportAnomaly, detectors: readonly string[]): Cell[] {
  return [
    anomaly.rank,
    safe(anomaly.id),
    limaIso(anomaly.timeMs),
    anomaly.amountMinor / 10 ** exponentOf(anomaly.currency),
    anomaly.currency,
    safe(anomaly.payer),
    safe(anomaly.payee),
    safe(anomaly.terminal),
    anomaly.score,
    anomaly.probability,
    anomaly.decision,
    ...numbered((n) => {
      const reason = anomaly.reasons[n - 1];
      return reason === undefined
        ? [null, null, null, null]
        : [reason.code, safe(reason.es), safe(reason.en), Math.round(reason.weight * 1000) / 1000];
    }),
    anomaly.qualityCodes.join(' '),
    anomaly.label,
    safe(anomaly.typology),
    ...detectors.map((name) => anomaly.detectors.find((view) => view.name === name)?.score ?? null),
  ];
}

function numbered<T>(cells: (n: number) => T[]): T[] {
  return Array.from({ length: REASON_COLUMNS }, (_, index) => cells(index + 1)).flat();
}

function safe(text: string | null): string | null {
  return text !== null && FORMULA_START.test(text) ? `'${text}` : text;
}

// Turns a detection into what the report shows.
import { qualityFindings } from '../../decisions/data-quality.ts';
import { maskPansIn } from '../../domain/mask.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { rejectionText } from '../../report/rejections.ts';
import type {
  AlertTimeline,
  DetectorEvaluation,
  HistoryPoint,
  PrecisionRecallPoint,
  ReportAnomaly,
  ReportData,
  ReportEvaluation,
  ScoreHistogram,
} from '../../report/report-data.ts';
import { typologyName } from '../../report/typologies.ts';
import { aucRoc } from '../../training/metrics/auc-roc.ts';
import { descendingOrder } from '../../training/metrics/order.ts';
import { averagePrecision, precisionRecallCurve } from '../../training/metrics/precision-recall.ts';
import { periodOf } from '../../training/time-line.ts';
import { type GroupedAnomalies, totalsOf } from './anomaly-groups.ts';
import type { Anomaly, Detection } from './detect.ts';
import { costsOfReport, reliabilityOf } from './probabilities-of-report.ts';

export interface ReportContext {
  readonly fileName: string;
  readonly seconds: number;
  readonly seed: number;
  readonly version: string;
  readonly createdMs: number;
  /** Anomalies shown on the page. */
  readonly top: number;
}

const HISTOGRAM_BINS = 50;
const HISTORY_POINTS = 120;
const DRIVERS = 12;
const PRECISION_AT = [100, 500, 1000, 5000];
const CURVE_POINTS = 200;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Every explained anomaly, riskiest first, without charts: the rows of anomalies.csv. */
export function anomaliesOf(detection: Detection, groups: GroupedAnomalies): ReportAnomaly[] {
  const none = new Uint8Array(detection.table.rows);
  return detection.anomalies.map((anomaly, index) => ({
    ...anomalyOf(detection, anomaly, index + 1, none, groups),
    history: [],
  }));
}

export function reportOf(detection: Detection, groups: GroupedAnomalies, context: ReportContext): ReportData {
  const { table, scores, flagged, read } = detection;
  const flaggedRows = new Uint8Array(table.rows);
  for (const row of flagged) flaggedRows[row] = 1;
  const supervised = new Set(
    scores.segments.flatMap(({ model }) =>
      model.parts.filter((part) => part.supervised).map(({ detector }) => detector.name),
    ),
  );
  const evaluated = evaluatedRows(detection);
  const probable = supervised.size > 0 ? evaluated : [];
  return {
    summary: {
      fileName: context.fileName,
      periodMs: table.rows === 0 ? null : periodOf(table.timesMs),
      rows: table.rows,
      rejected: read.rejected,
      rejectedByReason: Object.entries(read.byReason).map(([code, rows]) => ({ reason: rejectionText(code), rows })),
      entities: [{ label: { es: 'ordenantes', en: 'payers' }, count: table.distinctPayers }],
      amounts: [...detection.currencies].map(([currency, total]) => ({ currency, ...total })),
      flagged: flagged.length,
      flaggedAmounts: totalsOf(detection.anomalies),
      labels: labelCounts(table.labels),
      detectors: [...scores.byDetector.keys()].map((name) => ({
        name,
        role: roleOf(supervised.has(name)),
        supervised: supervised.has(name),
        fitSeconds: null,
      })),
      seconds: context.seconds,
      rowsPerSecond: table.rows / Math.max(context.seconds, 1e-3),
      seed: context.seed,
      version: context.version,
      createdMs: context.createdMs,
      utcOffsetMinutes: detection.utcOffsetMinutes,
    },
    anomalies: detection.anomalies
      .slice(0, context.top)
      .map((anomaly, index) => anomalyOf(detection, anomaly, index + 1, flaggedRows, groups)),
    groups: groups.groups,
    scores: histogramOf(detection),
    evaluation: evaluationOf(detection, evaluated, flaggedRows),
    reliability: probable.length === 0 ? null : reliabilityOf(detection, probable),
    costs: costsOfReport(detection, probable, flaggedRows),
    timeline: timelineOf(detection, flaggedRows),
    typologies: typologiesOf(detection, flaggedRows),
    drivers: driversOf(detection),
    quality: detection.quality.findings.map(({ code, text, rows, systematic }) => ({
      code,
      text,
      rows,
      severity: systematic ? 'error' : 'warning',
    })),
    notes: [
      ...(supervised.size > 0 ? [] : [UNSUPERVISED_NOTE]),
      ...(scores.movedByRules ? [scores.segments.length > 1 ? RULES_NOTE : RULES_WITHOUT_LABELS_NOTE] : []),
    ],
    notChecked: [NOT_CHECKED_LISTS, NOT_CHECKED_GRAPH],
  };
}

const UNSUPERVISED_NOTE = {
  es: 'El archivo no tiene etiquetas suficientes: el puntaje dice cuán inusual es cada operación frente a las demás, no la probabilidad de fraude.',
  en: 'The file has too few labels: the score says how unusual each transaction is among the others, not the probability of fraud.',
};
const RULES_NOTE = {
  es: 'El puntaje reúne el modelo y las reglas que se activaron, cada una con lo que acertó en las operaciones anteriores etiquetadas.',
  en: 'The score joins the model and the rules that fired, each by how often it was right on earlier labelled transactions.',
};
const RULES_WITHOUT_LABELS_NOTE = {
  es: 'El puntaje reúne el modelo y las reglas que se activaron, cada una según la severidad que le dio su autor: sin etiquetas nadie sabe cuánto acierta.',
  en: 'The score joins the model and the rules that fired, each by the severity its author gave it: without labels nobody knows how often it is right.',
};
const NOT_CHECKED_LISTS = {
  es: 'No se cruzaron listas de vigilancia ni se verificó que el titular corresponda a la cuenta.',
  en: 'No watch lists were searched, and names were not checked against account holders.',
};
const NOT_CHECKED_GRAPH = {
  es: 'No se siguieron cadenas de transferencias de más de un salto.',
  en: 'Chains of transfers longer than one hop were not followed.',
};

function roleOf(supervised: boolean) {
  return supervised
    ? { es: 'aprende de los fraudes etiquetados anteriores', en: 'learns from earlier labelled frauds' }
    : {
        es: 'busca lo inusual; no se entrena con etiquetas',
        en: 'looks for the unusual; it is not trained on labels',
      };
}

function anomalyOf(
  detection: Detection,
  anomaly: Anomaly,
  rank: number,
  flagged: Uint8Array,
  groups: GroupedAnomalies,
): ReportAnomaly {
  const { transaction, row, verdict, calibrated } = anomaly;
  const { risk, modelRisk } = verdict;
  return {
    rank,
    id: transaction.id,
    timeMs: transaction.eventTimeMs,
    amountMinor: transaction.amountMinor,
    currency: transaction.currency,
    payer: masked(transaction.payerId),
    payee: masked(transaction.payeeId),
    terminal: transaction.terminalId ?? transaction.merchantId,
    score: risk,
    probability: calibrated ? risk : null,
    modelRisk,
    rules: verdict.hits.map(({ rule }) => rule),
    decision: verdict.action,
    reasons: anomaly.reasons,
    detectors: anomaly.byDetector.map(({ name, score, threshold }) => ({ name, score, agrees: score >= threshold })),
    qualityCodes: qualityFindings(transaction),
    label: transaction.isFraud === null ? null : transaction.isFraud ? 'fraud' : 'genuine',
    typology: transaction.typology,
    group: groups.groupOf[rank - 1],
    history: historyOf(detection, transaction, row, flagged),
  };
}

/** Ids are the bank's own tokens; a card number among them is never shown whole. */
function masked(id: string | null): string | null {
  return id === null ? null : maskPansIn(id);
}

function historyOf(detection: Detection, transaction: Transaction, row: number, flagged: Uint8Array): HistoryPoint[] {
  const history = detection.histories.get(detection.table.payers[row]) ?? [];
  const own = history.filter(
    (past) => past.currency === transaction.currency && (past.timeMs < transaction.eventTimeMs || past.row === row),
  );
  return own
    .slice(-HISTORY_POINTS)
    .map(({ timeMs, amountMinor, row: past }) => ({ timeMs, amountMinor, flagged: flagged[past] === 1 }));
}

function histogramOf({ scores, table, flagged, decide }: Detection): ScoreHistogram | null {
  if (table.rows === 0) return null;
  const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
  const positives = new Array<number>(HISTOGRAM_BINS).fill(0);
  let labelled = false;
  for (let row = 0; row < table.rows; row++) {
    const bin = Math.min(HISTOGRAM_BINS - 1, Math.floor(scores.risk[row] * HISTOGRAM_BINS));
    counts[bin] += 1;
    if (table.labels[row] === 1) positives[bin] += 1;
    labelled ||= table.labels[row] >= 0;
  }
  const threshold = decide.costs === undefined ? scores.risk[flagged[flagged.length - 1]] : Number.NaN;
  return { counts, positives: labelled ? positives : null, threshold };
}

/** The labelled rows of the segments with supervised models, or of all where there are none. */
function evaluatedRows({ table, scores }: Detection): number[] {
  const later = scores.segments.find(({ model }) => model.parts.some((part) => part.supervised));
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (table.labels[row] >= 0 && (later === undefined || table.timesMs[row] >= later.fromMs)) rows.push(row);
  }
  return rows;
}

/** None without both kinds of labels. */
function evaluationOf(
  { table, scores }: Detection,
  rows: readonly number[],
  flagged: Uint8Array,
): ReportEvaluation | null {
  const labels = Uint8Array.from(rows, (row) => table.labels[row]);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === labels.length) return null;
  const columns: (readonly [string, boolean, Float32Array])[] = [...scores.byDetector].map(
    ([name, column]) => [name, name === 'gbdt', column] as const,
  );
  if (columns.length > 1 || scores.movedByRules) {
    columns.push(['centinela', scores.segments.some(({ model }) => model.stacking !== null), scores.ranking]);
  }
  const detectors = columns.map(([name, supervised, column]) =>
    evaluateDetector(
      name,
      supervised,
      labels,
      Float32Array.from(rows, (row) => column[row]),
    ),
  );
  const caught = rows.reduce((sum, row) => sum + (flagged[row] & table.labels[row]), 0);
  const raised = rows.reduce((sum, row) => sum + flagged[row], 0);
  return {
    rows: rows.length,
    positives,
    periodMs: [table.timesMs[rows[0]], table.timesMs[rows[rows.length - 1]]],
    detectors: detectors.sort((a, b) => b.averagePrecision - a.averagePrecision),
    operatingPoint: raised === 0 ? null : { recall: caught / positives, precision: caught / raised },
  };
}

function evaluateDetector(
  name: string,
  supervised: boolean,
  labels: Uint8Array,
  scores: Float32Array,
): DetectorEvaluation {
  const { precision, recall } = precisionRecallCurve(labels, scores);
  const curve: PrecisionRecallPoint[] = [];
  // Thinned by recall and not by rank: most ranks lie at the far end, where nobody looks.
  for (let i = recall.length - 1; i >= 0; i--) {
    const last = curve.at(-1);
    if (last === undefined || Math.abs(recall[i] - last.recall) >= 1 / CURVE_POINTS || i === 0) {
      curve.push({ recall: recall[i], precision: precision[i] });
    }
  }
  curve.sort((a, b) => a.recall - b.recall);
  const order = descendingOrder(scores);
  const precisionAt = PRECISION_AT.filter((k) => k <= labels.length).map((k) => ({
    k,
    precision: order.subarray(0, k).reduce((sum, row) => sum + labels[row], 0) / k,
  }));
  return {
    name,
    supervised,
    aucRoc: aucRoc(labels, scores),
    averagePrecision: averagePrecision(labels, scores),
    precisionAt,
    curve,
  };
}

function timelineOf({ table, utcOffsetMinutes }: Detection, flagged: Uint8Array): AlertTimeline | null {
  if (table.rows === 0) return null;
  const offsetMs = utcOffsetMinutes * 60_000;
  const [startMs, endMs] = periodOf(table.timesMs);
  const days = new Map<number, { alerts: number; rows: number }>();
  const hours = Array.from({ length: 24 }, () => ({ alerts: 0, rows: 0 }));
  for (let row = 0; row < table.rows; row++) {
    if (table.timesMs[row] < startMs || table.timesMs[row] > endMs) continue;
    const localMs = table.timesMs[row] + offsetMs;
    const day = Math.floor(localMs / DAY_MS);
    const hour = hours[Math.floor((localMs - day * DAY_MS) / HOUR_MS)];
    const total = days.get(day) ?? { alerts: 0, rows: 0 };
    days.set(day, total);
    for (const count of [total, hour]) {
      count.rows += 1;
      count.alerts += flagged[row];
    }
  }
  return {
    days: [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, total]) => ({ dayStartMs: day * DAY_MS - offsetMs, ...total })),
    hours,
  };
}

function typologiesOf({ table }: Detection, flagged: Uint8Array) {
  const names = table.typologyNames;
  const totals = names.map(() => ({ rows: 0, flagged: 0 }));
  for (let row = 0; row < table.rows; row++) {
    if (table.labels[row] !== 1) continue;
    totals[table.typologies[row]].rows += 1;
    totals[table.typologies[row]].flagged += flagged[row];
  }
  return names
    .map((code, index) => ({ code: code ?? '', name: typologyName(code ?? ''), ...totals[index] }))
    .filter(({ code, rows }) => code !== '' && rows > 0)
    .sort((a, b) => b.rows - a.rows);
}

function driversOf({ definitions, drivers }: Detection) {
  const total = drivers.reduce((sum, value) => sum + value, 0);
  if (total === 0) return [];
  return definitions
    .map(({ id, meaning }, index) => ({ feature: id, meaning, share: drivers[index] / total }))
    .sort((a, b) => b.share - a.share)
    .slice(0, DRIVERS);
}

function labelCounts(labels: Int8Array) {
  let known = 0;
  let positive = 0;
  for (const label of labels) {
    if (label >= 0) known += 1;
    if (label === 1) positive += 1;
  }
  return known === 0 ? null : { known, positive };
}

// The fixed texts of the report and the terminal view, in both languages (the type makes a missing one an error).
import type { Bilingual, ReportDecision } from './report-data.ts';

type Texts = Readonly<Record<string, Bilingual>>;

export const DECISION_TEXTS: Readonly<Record<ReportDecision, Bilingual>> = {
  decline: { es: 'Rechazar', en: 'Decline' },
  hold: { es: 'Retener', en: 'Hold' },
  challenge: { es: 'Autenticar', en: 'Challenge' },
  review: { es: 'Revisar', en: 'Review' },
  approve: { es: 'Aprobar', en: 'Approve' },
};

export const TERMINAL_TEXTS = {
  none: { es: 'Ninguna operación supera el umbral.', en: 'No transaction is above the threshold.' },
  score: { es: 'Riesgo', en: 'Risk' },
  decision: { es: 'Decisión', en: 'Decision' },
  amount: { es: 'Monto', en: 'Amount' },
  time: { es: 'Fecha', en: 'Date' },
  payer: { es: 'Ordenante', en: 'Payer' },
  reason: { es: 'Motivo principal', en: 'Main reason' },
} as const satisfies Texts;

export const TEXTS = {
  title: { es: 'Operaciones inusuales', en: 'Unusual transactions' },
  madeBy: { es: 'Informe de Centinela', en: 'Centinela report' },
  generated: { es: 'generado el', en: 'made on' },
  lima: { es: 'hora de Lima', en: 'Lima time' },

  rows: { es: 'operaciones leídas', en: 'transactions read' },
  rejected: { es: 'filas rechazadas', en: 'rows rejected' },
  rejectedOne: { es: 'fila rechazada', en: 'row rejected' },
  noneRejected: { es: 'ninguna fila rechazada', en: 'no row rejected' },
  flagged: { es: 'marcadas para revisión', en: 'flagged for review' },
  flaggedMoney: { es: 'monto en riesgo', en: 'amount at risk' },
  ofTotal: { es: 'del total', en: 'of the total' },
  knownFraud: { es: 'fraudes o errores conocidos', en: 'known frauds or errors' },
  ofLabels: { es: 'de las operaciones con etiqueta', en: 'of the labelled transactions' },
  noLabels: { es: 'Sin etiquetas', en: 'No labels' },
  noLabelsHint: { es: 'el puntaje mide rareza, no fraude', en: 'the score measures rarity, not fraud' },
  time: { es: 'de análisis', en: 'of analysis' },
  perSecond: { es: 'operaciones por segundo', en: 'transactions per second' },

  anomalies: { es: 'Anomalías, de mayor a menor riesgo', en: 'Anomalies, riskiest first' },
  anomaliesShown: { es: 'Se muestran', en: 'Showing' },
  anomaliesOf: { es: 'de', en: 'of' },
  noAnomalies: { es: 'Ninguna operación supera el umbral.', en: 'No transaction is above the threshold.' },
  noAnomaliesHint: {
    es: 'El archivo se leyó y se calificó completo; no hay nada que revisar con este umbral.',
    en: 'The whole file was read and scored; there is nothing to review at this threshold.',
  },
  filter: { es: 'Filtrar', en: 'Filter' },
  filterHint: { es: 'cliente, motivo, código…', en: 'customer, reason, code…' },
  all: { es: 'Todas', en: 'All' },
  nothingFound: { es: 'Nada coincide con el filtro.', en: 'Nothing matches the filter.' },
  when: { es: 'Cuándo', en: 'When' },
  amount: { es: 'Monto', en: 'Amount' },
  who: { es: 'Ordenante → destino', en: 'Payer → destination' },
  why: { es: 'Por qué', en: 'Why' },
  history: { es: 'Historial del cliente', en: 'Customer history' },
  risk: { es: 'Riesgo', en: 'Risk' },
  details: { es: 'Detalle', en: 'Details' },
  noReasons: { es: 'Sin motivo dominante', en: 'No dominant reason' },
  agree: { es: 'detectores coinciden', en: 'detectors agree' },
  agreesMark: { es: 'coincide', en: 'agrees' },
  disagreesMark: { es: 'no coincide', en: 'does not agree' },
  id: { es: 'Operación', en: 'Transaction' },
  payer: { es: 'Ordenante', en: 'Payer' },
  payee: { es: 'Beneficiario', en: 'Payee' },
  terminal: { es: 'Terminal', en: 'Terminal' },
  label: { es: 'Etiqueta', en: 'Label' },
  fraud: { es: 'Fraude o error', en: 'Fraud or error' },
  genuine: { es: 'Legítima', en: 'Genuine' },
  score: { es: 'Puntaje', en: 'Score' },
  quality: { es: 'Calidad de datos', en: 'Data quality' },
  detector: { es: 'Detector', en: 'Detector' },
  habitual: { es: 'habitual', en: 'habitual' },
  thisOne: { es: 'esta operación', en: 'this transaction' },
  otherFlagged: { es: 'otra marcada', en: 'another flagged' },
  noHistory: { es: 'Sin operaciones anteriores', en: 'No earlier transactions' },

  distribution: { es: 'Distribución del puntaje', en: 'Score distribution' },
  distributionHint: {
    es: 'Operaciones por tramo de puntaje, en escala logarítmica.',
    en: 'Transactions per score interval, on a logarithmic scale.',
  },
  thresholdHint: {
    es: 'A la derecha del umbral se marcan para revisión.',
    en: 'Those right of the threshold are flagged.',
  },
  threshold: { es: 'umbral', en: 'threshold' },
  transactions: { es: 'operaciones', en: 'transactions' },
  knownPositives: { es: 'fraude o error conocido', en: 'known fraud or error' },

  perDay: { es: 'Alertas por día', en: 'Alerts per day' },
  perHour: { es: 'Reparto por hora del día', en: 'Share by hour of day' },
  alerts: { es: 'alertas', en: 'alerts' },
  allTransactions: { es: 'todas las operaciones', en: 'all transactions' },

  performance: { es: 'Aciertos frente a las etiquetas', en: 'Performance against the labels' },
  performanceHint: {
    es: 'Medido en operaciones posteriores a las usadas para aprender.',
    en: 'Measured on transactions later than those used to learn.',
  },
  noPerformance: {
    es: 'El archivo no trae suficientes etiquetas para medir aciertos. Con etiquetas, aquí aparecen la curva de precisión y exhaustividad, el AUC y la precisión en las primeras alertas.',
    en: 'The file does not have enough labels to measure performance. With labels, the precision–recall curve, the AUC and the precision of the first alerts appear here.',
  },
  precision: { es: 'Precisión', en: 'Precision' },
  recall: { es: 'Exhaustividad', en: 'Recall' },
  operatingPoint: { es: 'umbral de este informe', en: 'threshold of this report' },
  averagePrecision: { es: 'Precisión media', en: 'Average precision' },
  aucRoc: { es: 'AUC ROC', en: 'AUC ROC' },
  precisionAt: { es: 'Precisión en', en: 'Precision at' },
  withLabels: { es: 'con etiquetas', en: 'with labels' },
  withoutLabels: { es: 'sin etiquetas', en: 'without labels' },
  chance: { es: 'al azar', en: 'at random' },

  reliability: { es: 'El riesgo frente a lo que ocurrió', en: 'The risk against what happened' },
  reliabilityHint: {
    es: 'Cada punto reúne operaciones de riesgo parecido: sobre la diagonal, de cada cien con riesgo 10 % diez son fraude. La barra es el intervalo del 95 %; el número, cuántos fraudes hubo. Cada grupo es un décimo de las operaciones; el de más riesgo se divide otra vez.',
    en: 'Each point gathers transactions of similar risk: on the diagonal, of a hundred with a risk of 10% ten are fraud. The bar is the 95% interval, the number how many frauds there were. Each group is a tenth of the transactions; the riskiest is divided again.',
  },
  reliabilityFigures: { es: 'Ver las cifras', en: 'Show the figures' },
  riskForetold: { es: 'riesgo anunciado', en: 'risk foretold' },
  fraudObserved: { es: 'fraude observado', en: 'fraud observed' },
  interval: { es: 'intervalo del 95 %', en: '95% interval' },
  frauds: { es: 'fraudes', en: 'frauds' },

  costs: { es: 'Cuánto cuesta decidir', en: 'What deciding costs' },
  costsHint: {
    es: 'La curva es el costo por día de un solo umbral de riesgo, según cuántas alertas produce; debajo de la línea de puntos se ahorra.',
    en: 'The curve is the cost per day of a single risk threshold, by the alerts that it raises; below the dotted line it saves.',
  },
  approveAll: { es: 'aprobar todo', en: 'approve all' },
  cheapestThreshold: { es: 'el umbral más barato, visto después', en: 'the cheapest threshold, in hindsight' },
  byCost: { es: 'lo más barato por operación', en: 'the cheapest per transaction' },
  chosenDecisions: { es: 'este informe', en: 'this report' },
  chosenByCost: { es: 'este informe: lo más barato por operación', en: 'this report: the cheapest per transaction' },
  decisions: { es: 'Decisiones', en: 'Decisions' },
  alertsADay: { es: 'alertas por día', en: 'alerts per day' },
  costADay: { es: 'costo por día', en: 'cost per day' },
  savedADay: { es: 'ahorro por día', en: 'saved per day' },
  reviewCosts: { es: 'Revisar:', en: 'A review:' },
  wrongDeclineCosts: { es: 'retener una legítima:', en: 'holding a genuine one:' },
  lossGivenFraud: { es: 'se pierde de un fraude aprobado:', en: 'lost of an approved fraud:' },
  analystAccuracy: { es: 'el analista acierta en', en: 'the analyst is right in' },

  typologies: { es: 'Detección por tipología', en: 'Detection by typology' },
  typology: { es: 'Tipología', en: 'Typology' },
  known: { es: 'Conocidas', en: 'Known' },
  caught: { es: 'Marcadas', en: 'Flagged' },

  drivers: { es: 'Qué datos pesan más', en: 'What weighs most' },
  driversHint: {
    es: 'Parte del riesgo de las operaciones marcadas que explica cada dato.',
    en: 'Share of the flagged transactions’ risk that each feature explains.',
  },
  feature: { es: 'Dato', en: 'Feature' },
  share: { es: 'Peso', en: 'Weight' },

  qualityTitle: { es: 'Calidad de los datos', en: 'Data quality' },
  qualityNone: { es: 'No se encontraron problemas en los datos.', en: 'No data problems were found.' },
  finding: { es: 'Hallazgo', en: 'Finding' },
  rowsColumn: { es: 'Filas', en: 'Rows' },
  severity: { es: 'Gravedad', en: 'Severity' },
  error: { es: 'Error', en: 'Error' },
  warning: { es: 'Advertencia', en: 'Warning' },
  info: { es: 'Información', en: 'Information' },
  rejectedTitle: { es: 'Filas rechazadas por motivo', en: 'Rejected rows by reason' },

  analysed: { es: 'Qué se analizó', en: 'What was analysed' },
  file: { es: 'Archivo', en: 'File' },
  period: { es: 'Periodo', en: 'Period' },
  entities: { es: 'Entidades', en: 'Entities' },
  amounts: { es: 'Montos', en: 'Amounts' },
  detectors: { es: 'Detectores', en: 'Detectors' },
  run: { es: 'Ejecución', en: 'Run' },
  seed: { es: 'semilla', en: 'seed' },
  version: { es: 'versión', en: 'version' },
  nothing: { es: 'ninguno', en: 'none' },

  howToRead: { es: 'Cómo leer este informe', en: 'How to read this report' },
  notChecked: { es: 'Qué no se revisó', en: 'What was not checked' },
} as const satisfies Texts;

export const HOW_TO_READ: readonly Bilingual[] = [
  {
    es: 'Una anomalía es una operación que se aparta de lo habitual. No es una acusación: la decisión es de quien la revisa.',
    en: 'An anomaly is a transaction that departs from the habitual. It is not an accusation: the reviewer decides.',
  },
  {
    es: 'El riesgo es una probabilidad (con %) cuando había etiquetas para calibrarlo; si no, dice cuán rara es: «1 en 5,000» es una operación de cada 5,000 así de inusual.',
    en: 'The risk is a probability (with %) where there were labels to calibrate it; otherwise it says how rare: “1 in 5,000” is one transaction in 5,000 this unusual.',
  },
  {
    es: 'La barra junto a cada motivo es la parte del riesgo que explica. Los motivos se calculan con lo que se sabía en el momento de la operación.',
    en: 'The bar beside each reason is the share of the risk that it explains. Reasons use only what was known at the time of the transaction.',
  },
  {
    es: 'En el historial, cada punto es una operación del mismo cliente; la franja cubre nueve de cada diez montos anteriores.',
    en: 'In the history, each dot is a transaction of the same customer; the band covers nine in ten of the earlier amounts.',
  },
];

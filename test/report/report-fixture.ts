// A made-up but plausible report for tests and for looking at: nothing in it stands for a person.
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import { reasonsFor } from '../../src/decisions/reasons/reasons.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import type {
  DetectorEvaluation,
  HistoryPoint,
  ReliabilityPoint,
  ReportAnomaly,
  ReportCosts,
  ReportData,
} from '../../src/report/report-data.ts';
import { typologyName } from '../../src/report/typologies.ts';
import { wilsonInterval } from '../../src/training/metrics/wilson-interval.ts';
import { AMOUNT, DAY, definition, HOUR } from './feature-definitions.ts';

/** 2025-11-30 in Lima, the end of the period. */
const END_MS = Date.UTC(2025, 11, 1, 4, 0);
const DAYS = 61;
const ROWS = 184_302;

const FEATURES: readonly (readonly [FeatureDefinition, (random: Prng) => number])[] = [
  [AMOUNT, (random) => 20_000 + random.nextBelow(400_000)],
  [
    definition('payer', 'ratio-to-mean', {
      meaning: { es: 'monto ÷ promedio del cliente en 30 d', en: "amount ÷ customer's mean in 30 d" },
    }),
    (random) => 1 + random.nextBelow(300) / 10,
  ],
  [
    definition('payer', 'z-score', {
      meaning: { es: 'desviaciones del monto en 30 d', en: 'deviations of the amount in 30 d' },
    }),
    (random) => random.nextBelow(90) / 10,
  ],
  [
    definition('payer', 'count', { windowMs: HOUR, meaning: { es: 'operaciones en 1 h', en: 'transactions in 1 h' } }),
    (random) => random.nextBelow(14),
  ],
  [
    definition('payer', 'count', {
      windowMs: 30 * DAY,
      meaning: { es: 'operaciones en 30 d', en: 'transactions in 30 d' },
    }),
    (random) => 14 + random.nextBelow(60),
  ],
  [
    definition('pair', 'is-new', { meaning: { es: 'beneficiario nuevo', en: 'new payee' } }),
    (random) => random.nextBelow(2),
  ],
  [
    definition('device', 'is-new', { meaning: { es: 'dispositivo nuevo', en: 'new device' } }),
    (random) => (random.nextBelow(5) === 0 ? 1 : 0),
  ],
  [
    definition('payer', 'hour-share', {
      meaning: { es: 'operaciones a esta hora en 30 d', en: 'transactions at this hour in 30 d' },
    }),
    (random) => random.nextBelow(20) / 100,
  ],
  [
    definition('card', 'speed', { meaning: { es: 'velocidad entre lugares', en: 'speed between places' } }),
    (random) => random.nextBelow(1000),
  ],
  [
    definition('payer', 'pass-through', {
      windowMs: DAY,
      meaning: { es: 'salidas ÷ entradas en 24 h', en: 'out ÷ in in 24 h' },
    }),
    (random) => random.nextBelow(150) / 100,
  ],
  [
    definition('terminal', 'fraud-count', {
      windowMs: 7 * DAY,
      delayMs: 7 * DAY,
      meaning: { es: 'fraudes del terminal', en: 'frauds at the terminal' },
    }),
    (random) => random.nextBelow(8),
  ],
  [
    definition('payer', 'distinct', {
      field: 'payee',
      windowMs: DAY,
      meaning: { es: 'beneficiarios distintos en 24 h', en: 'different payees in 24 h' },
    }),
    (random) => random.nextBelow(16),
  ],
  [
    definition('payer', 'age', { meaning: { es: 'antigüedad del cliente', en: 'age of the customer' } }),
    (random) => random.nextBelow(120) * DAY,
  ],
];

const TYPOLOGIES = ['F02', 'F04', 'F05', 'F06', 'F08', 'F12', 'F13', 'E01', 'E02', 'E03'];

function history(random: Prng, timeMs: number, amountMinor: number, usual: number): HistoryPoint[] {
  const points: HistoryPoint[] = [];
  let time = timeMs - (15 + random.nextBelow(45)) * DAY;
  while (time < timeMs) {
    const spread = 0.4 + random.nextFloat() * 1.2;
    points.push({ timeMs: time, amountMinor: Math.round(usual * spread), flagged: false });
    time += Math.round((0.2 + random.nextFloat() * 2) * DAY);
  }
  if (random.nextBelow(3) === 0)
    points.push({ timeMs: timeMs - HOUR, amountMinor: Math.round(amountMinor * 0.7), flagged: true });
  points.push({ timeMs, amountMinor, flagged: true });
  return points;
}

function anomaly(random: Prng, rank: number, count: number, labelled: boolean): ReportAnomaly {
  const values = Float64Array.from(FEATURES, ([, value]) => value(random));
  const ratio = Math.max(1.2, values[1]);
  const amountMinor = Math.round(values[0]);
  values[1] = ratio;
  const timeMs = END_MS - Math.floor(random.nextFloat() * DAYS * DAY);
  const currency = random.nextBelow(6) === 0 ? 'USD' : 'PEN';
  const contributions = Float64Array.from(FEATURES, () => random.nextFloat() ** 2 - 0.05);
  const merchant = random.nextBelow(2) === 0;
  const transaction = createTransaction({
    id: `T-${String(9_000_000 + random.nextBelow(900_000))}`,
    eventTimeMs: timeMs,
    amountMinor,
    currency,
    payerId: 'payer',
    payeeId: merchant ? null : 'payee',
    cardId: 'card',
    deviceId: 'device',
    terminalId: 'terminal',
    ubigeo: '150101',
  });
  const score = Math.max(0.5, 0.999 - 0.42 * (rank / count) - 0.01 * random.nextFloat());
  const fraud = random.nextFloat() < score ** 2;
  return {
    rank,
    id: transaction.id,
    timeMs,
    amountMinor,
    currency,
    payer: `****${1000 + random.nextBelow(9000)}`,
    payee: merchant ? null : `002-193-********${1000 + random.nextBelow(9000)}-**`,
    terminal: merchant ? `POS-${10_000 + random.nextBelow(90_000)}` : null,
    score,
    probability: labelled ? score : null,
    modelRisk: score / 2,
    rules: rank % 3 === 0 ? ['new-payee-high-amount@1', 'large-transfer@2'] : [],
    decision: labelled && score > 0.9 ? 'hold' : score > 0.8 && labelled ? 'challenge' : 'review',
    reasons: reasonsFor({ definitions: FEATURES.map(([each]) => each), values, contributions, transaction }),
    detectors: [
      { name: 'gbdt', score, agrees: true },
      { name: 'isolation-forest', score: score * (0.7 + 0.3 * random.nextFloat()), agrees: random.nextBelow(3) > 0 },
    ].slice(labelled ? 0 : 1),
    qualityCodes: random.nextBelow(12) === 0 ? ['DUPLICADO'] : [],
    label: labelled ? (fraud ? 'fraud' : 'genuine') : null,
    group: rank % 4 === 0 ? null : 1 + (rank % 2),
    typology: labelled && fraud ? TYPOLOGIES[random.nextBelow(TYPOLOGIES.length)] : null,
    history: rank % 17 === 0 ? [] : history(random, timeMs, amountMinor, amountMinor / ratio),
  };
}

function evaluation(name: string, supervised: boolean, quality: number): DetectorEvaluation {
  const curve = Array.from({ length: 200 }, (_, index) => {
    const recall = (index + 1) / 200;
    return {
      recall,
      precision: Math.max(
        0.009,
        Math.min(1, quality * 1.35 - recall ** (3 * quality + 0.4) * quality * 1.3 + 0.004 * Math.sin(index)),
      ),
    };
  });
  return {
    name,
    supervised,
    aucRoc: 0.8 + 0.14 * quality,
    averagePrecision: quality,
    precisionAt: [100, 500, 1000].map((k) => ({ k, precision: Math.min(1, quality * (1.3 - k / 2500)) })),
    curve,
  };
}

/** Tenths, the topmost in tenths again; observed as foretold, but for chance. */
function reliability(random: Prng): ReliabilityPoint[] {
  return Array.from({ length: 28 }, (_, index) => {
    const rows = [6120, 612, 61][Math.floor(index / 9.01)];
    const meanProbability = Math.min(0.97, 1e-5 * 1.52 ** index);
    const frauds = Math.min(rows, Math.round(rows * meanProbability * (0.7 + 0.6 * random.nextFloat())));
    return { rows, frauds, meanProbability, ...wilsonInterval(frauds, rows) };
  });
}

const APPROVE_ALL_MINOR = 982_000;
const COSTS: ReportCosts = {
  days: 20,
  costs: DEFAULT_COSTS,
  curve: Array.from({ length: 200 }, (_, index) => {
    const flaggedPerDay = 0.05 * 1.056 ** index;
    return {
      flaggedPerDay,
      costPerDayMinor: Math.round(APPROVE_ALL_MINOR * (0.2 + 0.8 * Math.exp(-flaggedPerDay / 6)) + flaggedPerDay * 500),
    };
  }),
  chosen: { flaggedPerDay: 15, costPerDayMinor: 268_300 },
  chosenByCost: false,
  cheapest: { flaggedPerDay: 33.2, costPerDayMinor: 216_140, threshold: 0.0831 },
  byCost: { flaggedPerDay: 52.4, costPerDayMinor: 161_250 },
  approveAllPerDayMinor: APPROVE_ALL_MINOR,
};

export interface FixtureOptions {
  readonly anomalies?: number;
  readonly labelled?: boolean;
  readonly seed?: number;
}

export function reportFixture({ anomalies = 40, labelled = true, seed = 7 }: FixtureOptions = {}): ReportData {
  const random = createPrng(seed);
  const bins = 50;
  const counts = Array.from({ length: bins }, (_, index) =>
    Math.round(92_000 * 0.72 ** index + (index > 35 ? random.nextBelow(30) : 4)),
  );
  const positives = counts.map((count, index) => Math.min(count, Math.round((count * index * index) / 3000)));
  const hours = Array.from({ length: 24 }, (_, hour) => ({
    alerts: hour < 6 ? 30 + random.nextBelow(25) : 12 + random.nextBelow(20),
    rows: Math.round(2000 + 9000 * Math.max(0, Math.sin(((hour - 6) / 18) * Math.PI)) + random.nextBelow(600)),
  }));
  return {
    summary: {
      fileName: 'operaciones-2025-10-11.csv.gz',
      periodMs: [END_MS - DAYS * DAY, END_MS],
      rows: ROWS,
      rejected: 37,
      rejectedByReason: [
        { reason: { es: 'monto ilegible', en: 'unreadable amount' }, rows: 21 },
        { reason: { es: 'fecha inexistente', en: 'no such date' }, rows: 16 },
      ],
      entities: [
        { label: { es: 'clientes', en: 'customers' }, count: 4_812 },
        { label: { es: 'beneficiarios', en: 'payees' }, count: 9_340 },
        { label: { es: 'terminales', en: 'terminals' }, count: 1_204 },
      ],
      amounts: [
        { currency: 'PEN', rows: 171_020, amountMinor: 1_873_442_190 },
        { currency: 'USD', rows: 13_282, amountMinor: 98_120_455 },
      ],
      flagged: 921,
      flaggedAmounts: [
        { currency: 'PEN', rows: 870, amountMinor: 148_233_410 },
        { currency: 'USD', rows: 51, amountMinor: 3_912_300 },
      ],
      labels: labelled ? { known: ROWS, positive: 642 } : null,
      detectors: [
        {
          name: 'gbdt',
          role: { es: 'aprende de los fraudes etiquetados anteriores', en: 'learns from earlier labelled frauds' },
          supervised: true,
          fitSeconds: 4.1,
        },
        {
          name: 'isolation-forest',
          role: { es: 'busca lo inusual, sin etiquetas', en: 'looks for the unusual, without labels' },
          supervised: false,
          fitSeconds: 0.3,
        },
      ].slice(labelled ? 0 : 1),
      seconds: 9.4,
      rowsPerSecond: 19_606,
      seed: 42,
      version: '0.1.0',
      createdMs: END_MS + 10 * HOUR,
    },
    anomalies: Array.from({ length: anomalies }, (_, index) => anomaly(random, index + 1, anomalies, labelled)),
    groups: (anomalies === 0 ? [] : [1, 2]).map((number) => ({
      number,
      count: 400 - 100 * number,
      amounts: [
        { currency: 'PEN', rows: 310 - 100 * number, amountMinor: 41_220_380 },
        { currency: 'USD', rows: 90, amountMinor: 1_233_000 },
      ],
      labels: labelled ? { known: 400 - 100 * number, positive: 120 } : null,
      reasons: [
        { code: 'MONTO_FUERA_DE_PERFIL', share: 0.94 },
        { code: number === 1 ? 'BENEFICIARIO_NUEVO' : 'HORA_INUSUAL', share: 0.61 },
      ],
      channels: [
        { channel: 'app' as const, share: 0.8 },
        { channel: 'web' as const, share: 0.2 },
      ],
      hours: number === 1 ? { from: 22, to: 4, share: 0.78 } : { from: 0, to: 0, share: 1 },
      examples: number === 1 ? [1, 3, 5] : [2, 6, 10],
    })),
    scores: { counts, positives: labelled ? positives : null, threshold: 0.62 },
    evaluation: labelled
      ? {
          rows: 61_200,
          positives: 214,
          periodMs: [END_MS - 20 * DAY, END_MS],
          detectors: [
            evaluation('centinela', true, 0.741),
            evaluation('gbdt', true, 0.724),
            evaluation('isolation-forest', false, 0.288),
          ],
          operatingPoint: { recall: 0.71, precision: 0.54 },
        }
      : null,
    reliability: labelled ? reliability(random) : null,
    costs: labelled ? COSTS : null,
    timeline: {
      days: Array.from({ length: DAYS }, (_, day) => ({
        dayStartMs: END_MS - (DAYS - day) * DAY + HOUR,
        alerts: 8 + random.nextBelow(12) + (day === 44 ? 31 : 0),
        rows: 2_800 + random.nextBelow(700),
      })),
      hours,
    },
    typologies: labelled
      ? TYPOLOGIES.map((code) => {
          const rows = 12 + random.nextBelow(90);
          return {
            code,
            name: typologyName(code),
            rows,
            flagged: Math.round(rows * (0.35 + 0.65 * random.nextFloat())),
          };
        })
      : [],
    drivers: [
      [
        'payer_ratio_to_mean_30d',
        'monto frente al promedio del cliente, 30 días',
        "amount against the customer's average, 30 days",
        0.31,
      ],
      [
        'terminal_fraud_count_7d',
        'fraudes confirmados del terminal, 7 días',
        'confirmed frauds at the terminal, 7 days',
        0.22,
      ],
      ['pair_is_new', 'primer pago al beneficiario', 'first payment to the payee', 0.14],
      ['payer_hour_share_30d', 'hora poco usada por el cliente', 'hour that the customer rarely uses', 0.09],
      ['payer_count_1h', 'operaciones del cliente en 1 h', "customer's transactions in 1 h", 0.06],
      ['card_speed', 'velocidad entre lugares', 'speed between places', 0.006],
    ].map(([feature, es, en, share]) => ({
      feature: String(feature),
      meaning: { es: String(es), en: String(en) },
      share: Number(share),
    })),
    quality: [
      {
        code: 'DUPLICADO',
        text: { es: 'Posible cargo o abono duplicado', en: 'Possible duplicate posting' },
        rows: 118,
        severity: 'warning',
      },
      {
        code: 'CCI_INVALIDO',
        text: { es: 'CCI con dígitos de control incorrectos', en: 'CCI with wrong control digits' },
        rows: 9,
        severity: 'error',
      },
      {
        code: 'CONTRAPARTE_AUSENTE',
        text: { es: 'Falta la contraparte', en: 'The counterparty is missing' },
        rows: 2_304,
        severity: 'info',
      },
    ],
    notes: [],
    notChecked: [
      { es: 'No se cruzaron listas de vigilancia.', en: 'No watch lists were searched.' },
      {
        es: 'No se siguieron cadenas de transferencias de más de un salto.',
        en: 'Chains of transfers longer than one hop were not followed.',
      },
    ],
  };
}

/** A file of one ordinary row: everything that can be empty is. */
export function smallestReport(): ReportData {
  const full = reportFixture({ anomalies: 0, labelled: false });
  const timeMs = END_MS;
  return {
    ...full,
    summary: {
      ...full.summary,
      fileName: 'una-fila.csv',
      periodMs: [timeMs, timeMs],
      rows: 1,
      rejected: 0,
      rejectedByReason: [],
      entities: [],
      amounts: [{ currency: 'PEN', rows: 1, amountMinor: 5_000 }],
      flagged: 0,
      flaggedAmounts: [],
      seconds: 0.1,
      rowsPerSecond: 10,
    },
    scores: {
      counts: Array.from({ length: 50 }, (_, index) => (index === 24 ? 1 : 0)),
      positives: null,
      threshold: Number.NaN,
    },
    timeline: {
      days: [{ dayStartMs: timeMs - 4 * HOUR, alerts: 0, rows: 1 }],
      hours: Array.from({ length: 24 }, (_, hour) => ({ alerts: 0, rows: hour === 23 ? 1 : 0 })),
    },
    drivers: [],
    quality: [],
    notChecked: [],
  };
}

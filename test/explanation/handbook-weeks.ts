// Two weeks of the Handbook's data to measure explanations on: one to fit on, a later one whose most unusual rows are
// explained. Both are validation weeks; from 2018-08-15 on the rows are for tests.
import { openBlockFile } from '../../src/adapters/files/block-file.ts';
import { openTransactions } from '../../src/adapters/files/open-transactions.ts';
import { categoricalColumns } from '../../src/features/definition.ts';
import { readFeatures } from '../../src/jobs/read-features.ts';
import type { FittedDetector, TrainingData } from '../../src/models/detector.ts';
import { type Matrix, takeRows } from '../../src/models/matrix.ts';

export interface HandbookWeeks {
  readonly training: TrainingData;
  readonly later: Matrix;
  /** Genuine rows of the later week. */
  readonly ordinary: Matrix;
}

const WEEK_MS = 7 * 86_400_000;
const FIT_FROM_MS = Date.UTC(2018, 6, 11);
const EXPLAIN_FROM_MS = Date.UTC(2018, 6, 25);
const ORDINARY_ROWS = 1000;
/** Of the highest scores so many, and of these every third. */
const HIGHEST = 450;
const STEP = 3;

export async function readHandbookWeeks(path: string): Promise<HandbookWeeks> {
  const reader = await openTransactions(path, {
    mapping: 'handbook',
    nowMs: Date.now(),
    maxBadShare: 0.05,
    rejectedPath: null,
  });
  const { definitions, table } = await readFeatures(reader, {
    memoryLimitBytes: 640e6,
    openStore: () => openBlockFile(),
    catalogue: null,
    onProgress: () => {},
  });
  const weekFrom = (startMs: number) => {
    const rows = Uint32Array.from(table.timesMs.keys()).filter(
      (row) => table.timesMs[row] >= startMs && table.timesMs[row] < startMs + WEEK_MS,
    );
    return { matrix: table.take(rows), labels: Uint8Array.from(rows, (row) => Number(table.labels[row] === 1)) };
  };
  const fitted = weekFrom(FIT_FROM_MS);
  const later = weekFrom(EXPLAIN_FROM_MS);
  table.close();
  const genuine = Uint32Array.from(later.labels.keys()).filter((row) => later.labels[row] === 0);
  return {
    training: {
      ...fitted,
      features: definitions.map(({ id }) => id),
      categorical: categoricalColumns(definitions),
      validation: null,
    },
    later: later.matrix,
    ordinary: takeRows(
      later.matrix,
      Uint32Array.from({ length: ORDINARY_ROWS }, (_, i) => genuine[Math.floor((i * genuine.length) / ORDINARY_ROWS)]),
    ),
  };
}

/** The rows that the detector finds most unusual, thinned out. */
export function mostUnusual(detector: FittedDetector, rows: Matrix): Matrix {
  const scores = detector.score(rows);
  const highest = Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  return takeRows(
    rows,
    highest.filter((_, rank) => rank < HIGHEST && rank % STEP === 0),
  );
}

// Are explanations true to their detectors, and what do they cost? Every detector is fitted on a week of the Handbook's
// data; of a later week's rows those it finds most unusual are explained, and their first reasons are taken out
// (test/explanation/faithfulness.ts).
//
// Usage: node bench/explanation.ts ../shared/data/handbook/transactions.csv.gz [DETECTORS, separated by commas]
import { openBlockFile } from '../src/adapters/files/block-file.ts';
import { openTransactions } from '../src/adapters/files/open-transactions.ts';
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { categoricalColumns } from '../src/features/definition.ts';
import { readFeatures } from '../src/jobs/read-features.ts';
import { rowOf, takeRows } from '../src/models/matrix.ts';
import { measureFaithfulness } from '../test/explanation/faithfulness.ts';

const WEEK_MS = 7 * 86_400_000;
/** Validation weeks; from 2018-08-15 on the rows are for tests. */
const FIT_FROM_MS = Date.UTC(2018, 6, 11);
const EXPLAIN_FROM_MS = Date.UTC(2018, 6, 25);
/** Of the highest scores so many, and of these every third. */
const HIGHEST = 450;
const STEP = 3;
const ORDINARY_ROWS = 32;
const REMOVED = [1, 3, 5];
const SEED = 1;

const [path, names] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node bench/explanation.ts FILE [DETECTORS], the Handbook data');
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

function weekFrom(startMs: number) {
  const rows = Uint32Array.from(table.timesMs.keys()).filter(
    (row) => table.timesMs[row] >= startMs && table.timesMs[row] < startMs + WEEK_MS,
  );
  return { matrix: table.take(rows), labels: Uint8Array.from(rows, (row) => Number(table.labels[row] === 1)) };
}

const training = weekFrom(FIT_FROM_MS);
const later = weekFrom(EXPLAIN_FROM_MS);
table.close();
const genuine = Uint32Array.from(later.labels.keys()).filter((row) => later.labels[row] === 0);
const ordinary = takeRows(
  later.matrix,
  Uint32Array.from({ length: ORDINARY_ROWS }, (_, i) => genuine[Math.floor((i * genuine.length) / ORDINARY_ROWS)]),
);

process.stdout.write(
  `${'detector'.padEnd(22)} ${'µs'.padStart(6)} ${'gap'.padStart(6)}  ${REMOVED.map((removed) => `top ${removed} / random (wins)`.padEnd(24)).join('')}\n`,
);
for (const known of detectorsHere()) {
  if (names === undefined ? known.name === 'onnx' : !names.split(',').includes(known.name)) continue;
  const detector = known.fit(
    {
      matrix: training.matrix,
      features: definitions.map(({ id }) => id),
      categorical: categoricalColumns(definitions),
      labels: training.labels,
      validation: null,
    },
    SEED,
  );
  const scores = detector.score(later.matrix);
  const highest = Uint32Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .filter((_, rank) => rank < HIGHEST && rank % STEP === 0);
  const rows = takeRows(later.matrix, highest);
  const times: number[] = [];
  const explanations = Array.from(highest, (_, index) => {
    const start = performance.now();
    const { contributions } = detector.explain(rowOf(rows, index));
    times.push((performance.now() - start) * 1000);
    return contributions;
  });
  times.sort((a, b) => a - b);
  const measured = REMOVED.map((removed) =>
    measureFaithfulness(detector, rows, explanations, ordinary, { removed, seed: SEED }),
  );
  const figures = measured.map(({ topDrop, randomDrop, wins }) =>
    `${topDrop.toFixed(2)} / ${randomDrop.toFixed(2)} (${wins.toFixed(2)})`.padEnd(24),
  );
  process.stdout.write(
    `${known.name.padEnd(22)} ${times[times.length >> 1].toFixed(0).padStart(6)} ${measured[0].gap.toFixed(2).padStart(6)}  ${figures.join('')}\n`,
  );
}

// Does "flag 1 in 1,000" mean it on later data? An isolation forest is fitted on genuine transactions of June, and the
// share of the genuine ones of the following weeks that it flags at α is told for four kinds of reference scores.
//
// Usage: node bench/conformal.ts ../shared/data/handbook/transactions.csv.gz
import { openBlockFile } from '../src/adapters/files/block-file.ts';
import { openTransactions } from '../src/adapters/files/open-transactions.ts';
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { readFeatures } from '../src/jobs/read-features.ts';
import { conformalPValue, fitConformal, recencyWeights } from '../src/models/conformal.ts';
import { detectorChoices } from '../src/training/detector-choices.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const WINDOW_MS = 4 * WEEK_MS;
const HALF_LIFE_MS = 2 * WEEK_MS;
const ALPHAS = [0.001, 0.005, 0.01];
const FIT_FROM_MS = Date.UTC(2018, 5, 1);
const REFERENCE_FROM_MS = Date.UTC(2018, 6, 1);
const MEASURE_FROM_MS = Date.UTC(2018, 6, 15);
const WEEKS = 7;
const SEED = 1;

const path = process.argv[2];
if (path === undefined) throw new Error('usage: node bench/conformal.ts FILE, the Handbook data');
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

/** The genuine rows of [from, to). */
function genuineRows(fromMs: number, toMs: number): Uint32Array {
  const { timesMs, labels } = table;
  return Uint32Array.from(timesMs.keys()).filter(
    (row) => timesMs[row] >= fromMs && timesMs[row] < toMs && labels[row] === 0,
  );
}

const [choice] = detectorChoices('isolation-forest', detectorsHere());
const fitted = genuineRows(FIT_FROM_MS, REFERENCE_FROM_MS);
const detector = choice.fit(
  { matrix: table.take(fitted), features: definitions.map(({ id }) => id), labels: null, validation: null },
  SEED,
);
const scoresOf = (rows: Uint32Array) => detector.score(table.take(rows));
const laterScores = (fromMs: number, toMs: number) => scoresOf(genuineRows(fromMs, toMs));
const inSample = fitConformal(scoresOf(fitted));
const split = fitConformal(laterScores(REFERENCE_FROM_MS, MEASURE_FROM_MS));

const shares: Record<string, number[][]> = {
  'in sample': [],
  split: [],
  'rolling 4 weeks': [],
  'half-life 2 weeks': [],
};
for (let week = 0; week < WEEKS; week++) {
  const startMs = MEASURE_FROM_MS + week * WEEK_MS;
  const measured = laterScores(startMs, startMs + WEEK_MS);
  const past = genuineRows(REFERENCE_FROM_MS, startMs);
  const references = {
    'in sample': inSample,
    split,
    'rolling 4 weeks': fitConformal(laterScores(Math.max(REFERENCE_FROM_MS, startMs - WINDOW_MS), startMs)),
    'half-life 2 weeks': fitConformal(
      scoresOf(past),
      recencyWeights(
        Float64Array.from(past, (row) => table.timesMs[row]),
        startMs,
        HALF_LIFE_MS,
      ),
    ),
  };
  for (const [name, reference] of Object.entries(references)) {
    const pValues = Float64Array.from(measured, (score) => conformalPValue(reference, score));
    shares[name].push(ALPHAS.map((alpha) => pValues.filter((p) => p <= alpha).length / pValues.length));
  }
}
table.close();
for (const [name, weeks] of Object.entries(shares)) {
  const figures = ALPHAS.map((alpha, i) => {
    const each = weeks.map((week) => week[i] / alpha);
    const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
    return `α ${alpha}: ${mean.toFixed(2)}× (weeks ${Math.min(...each).toFixed(2)}–${Math.max(...each).toFixed(2)})`;
  });
  process.stdout.write(`${name.padEnd(18)} ${figures.join('  ')}\n`);
}

// Are explanations true to their detectors, and what do they cost? Every detector is fitted on a week of the Handbook's
// data; of a later week's rows those it finds most unusual are explained, and their first reasons are taken out
// (test/explanation/faithfulness.ts). Drops are of the score's log-odds, times medians.
//
// Usage: node bench/explanation.ts ../shared/data/handbook/transactions.csv.gz [DETECTORS, separated by commas]
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { rowOf } from '../src/models/matrix.ts';
import { measureFaithfulness } from '../test/explanation/faithfulness.ts';
import { mostUnusual, readHandbookWeeks } from '../test/explanation/handbook-weeks.ts';

const REMOVED = [1, 3, 5];
const SEED = 1;

const [path, names] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node bench/explanation.ts FILE [DETECTORS], the Handbook data');
const { training, later, ordinary } = await readHandbookWeeks(path);

function line(name: string, microseconds: string, gap: string, cells: readonly string[]): void {
  const columns = [name.padEnd(22), microseconds.padStart(6), gap.padStart(6), ...cells.map((cell) => cell.padEnd(22))];
  process.stdout.write(`${columns.join('  ').trimEnd()}\n`);
}

line(
  'detector',
  'µs',
  'gap',
  REMOVED.map((removed) => `first ${removed} / random (wins)`),
);
for (const known of detectorsHere()) {
  // 'onnx' needs the file of a model.
  if (names === undefined ? known.name === 'onnx' : !names.split(',').includes(known.name)) continue;
  const detector = known.fit(training, SEED);
  const rows = mostUnusual(detector, later);
  const times: number[] = [];
  const explanations = Array.from({ length: rows.rows }, (_, row) => {
    const startMs = performance.now();
    const { contributions } = detector.explain(rowOf(rows, row));
    times.push((performance.now() - startMs) * 1000);
    return contributions;
  });
  const measured = REMOVED.map((removed) =>
    measureFaithfulness(detector, rows, explanations, ordinary, { removed, seed: SEED }),
  );
  line(
    known.name,
    times.sort((a, b) => a - b)[times.length >> 1].toFixed(0),
    measured[0].gap.toFixed(2),
    measured.map(
      ({ topDrop, randomDrop, wins }) => `${topDrop.toFixed(2)} / ${randomDrop.toFixed(2)} (${wins.toFixed(2)})`,
    ),
  );
}

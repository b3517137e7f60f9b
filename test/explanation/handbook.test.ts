// On real features, which go together in many ways, the first reasons still are what makes a row score high.
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { rowOf } from '../../src/models/matrix.ts';
import { measureFaithfulness } from './faithfulness.ts';
import { type HandbookWeeks, mostUnusual, readHandbookWeeks } from './handbook-weeks.ts';

const HANDBOOK = new URL('../../../shared/data/handbook/transactions.csv.gz', import.meta.url).pathname;
const DETECTORS = ['gbdt', 'isolation-forest', 'network', 'autoencoder', 'ensemble', 'unsupervised-ensemble'];
const REMOVED = 3;
const SEED = 1;

describe.runIf(process.env.CENTINELA_LONG_TESTS === '1' && existsSync(HANDBOOK))('the Handbook', () => {
  let weeks: HandbookWeeks;
  beforeAll(async () => {
    weeks = await readHandbookWeeks(HANDBOOK);
  }, 300_000);
  const known = knownDetectors(createGraphRuntime()).filter(({ name }) => DETECTORS.includes(name));

  it.each(known)(
    'three first reasons of $name bring the score down by three times what others do',
    { timeout: 600_000 },
    (each) => {
      const { training, later, ordinary } = weeks;
      const detector = each.fit(training, SEED);
      const rows = mostUnusual(detector, later);
      const explanations = Array.from(
        { length: rows.rows },
        (_, row) => detector.explain(rowOf(rows, row)).contributions,
      );
      const options = { removed: REMOVED, seed: SEED };
      const { topDrop, randomDrop, wins } = measureFaithfulness(detector, rows, explanations, ordinary, options);
      expect(topDrop).toBeGreaterThan(0);
      expect(topDrop).toBeGreaterThan(3 * randomDrop);
      expect(wins).toBeGreaterThan(0.9);
    },
  );
});

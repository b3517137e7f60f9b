import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { aucRoc } from './auc-roc.ts';
import { cardPrecisionAtK } from './card-precision.ts';
import { capacityThreshold, cheapestStep, costOfActions, costSteps } from './cost.ts';
import { evaluateScores } from './evaluate.ts';
import { descendingOrder } from './order.ts';
import { averagePrecision, precisionRecallCurve, precisionRecallF1At } from './precision-recall.ts';
import { brierScore, expectedCalibrationError, rareReliabilityTable, reliabilityTable } from './reliability.ts';
import { recallByTypology } from './typology-recall.ts';
import { wilsonInterval } from './wilson-interval.ts';

// 40 rows with many ties; the expected values are scikit-learn 1.2's on the same lists: roc_auc_score,
// average_precision_score, precision_recall_curve, brier_score_loss, and precision, recall and f1 of `scores >= 0.5`.
const SCORES = Float32Array.of(
  ...[0.5, 0.125, 0.75, 0.625, 0.5, 0, 0.125, 0.5, 0.375, 0.375, 0.625, 0.375, 0.125, 0.25, 0.25, 0.5, 0.375, 0.375],
  ...[0.25, 0.125, 0.25, 0.75, 0.125, 0.375, 0.375, 0.75, 0.125, 0.125, 0, 0.375, 0.25, 0.5, 0.5, 0.5, 0.25, 0.375],
  ...[0.125, 0.25, 0.25, 0],
);
const LABELS = Uint8Array.of(
  ...[1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1],
  ...[0, 0],
);

/** Rows with few distinct scores, so that ties are common. */
const rankedRows = fc
  .array(fc.tuple(fc.integer({ min: -8, max: 8 }), fc.boolean()), { minLength: 1, maxLength: 50 })
  .map((rows) => ({
    scores: Float32Array.from(rows, ([score]) => score / 4),
    labels: Uint8Array.from(rows, ([, label]) => Number(label)),
  }));

describe('descendingOrder', () => {
  const floats = fc.array(fc.double({ noNaN: true }), { maxLength: 80 });

  it.each([Float32Array, Float64Array])('agrees with a stable comparison sort, on %o', (ArrayType) => {
    fc.assert(
      fc.property(floats, (values) => {
        const scores = ArrayType.from(values);
        const expected = Uint32Array.from(scores.keys()).sort((a, b) =>
          scores[a] === scores[b] ? a - b : scores[a] > scores[b] ? -1 : 1,
        );
        expect(descendingOrder(scores)).toEqual(expected);
      }),
      { examples: [[[0, -0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324, -0]]] },
    );
  });

  it('refuses a row without a score', () => {
    expect(() => descendingOrder(Float32Array.of(1, Number.NaN))).toThrow('score of row 1 is NaN');
  });
});

describe('ranking metrics', () => {
  it("are scikit-learn's", () => {
    expect(aucRoc(LABELS, SCORES)).toBeCloseTo(0.9270833333333334, 12);
    expect(averagePrecision(LABELS, SCORES)).toBeCloseTo(0.8420224411603723, 12);
    const curve = precisionRecallCurve(LABELS, SCORES);
    expect([...curve.thresholds]).toEqual([0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0]);
    expect([...curve.precision]).toEqual([1, 1, 10 / 12, 11 / 21, 12 / 29, 12 / 37, 12 / 40]);
    expect([...curve.recall]).toEqual([3 / 12, 5 / 12, 10 / 12, 11 / 12, 1, 1, 1]);
    expect(precisionRecallF1At(LABELS, SCORES, 0.5)).toEqual({
      ...{ threshold: 0.5, flagged: 12, truePositives: 10 },
      ...{ precision: 10 / 12, recall: 10 / 12, f1: 10 / 12 },
    });
  });

  it('AUC is the share of fraud–genuine pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(rankedRows, ({ scores, labels }) => {
        let pairs = 0;
        let right = 0;
        for (let fraud = 0; fraud < labels.length; fraud++) {
          for (let genuine = 0; genuine < labels.length; genuine++) {
            if (labels[fraud] !== 1 || labels[genuine] !== 0) continue;
            pairs++;
            right += scores[fraud] > scores[genuine] ? 1 : scores[fraud] === scores[genuine] ? 0.5 : 0;
          }
        }
        if (pairs === 0) expect(aucRoc(labels, scores)).toBeNaN();
        else expect(aucRoc(labels, scores)).toBeCloseTo(right / pairs, 12);
      }),
    );
  });

  it('average precision is the area under the steps of the curve', () => {
    fc.assert(
      fc.property(rankedRows, ({ scores, labels }) => {
        const { precision, recall } = precisionRecallCurve(labels, scores);
        const area = precision.reduce((sum, value, i) => sum + value * (recall[i] - (recall[i - 1] ?? 0)), 0);
        if (labels.includes(1)) expect(averagePrecision(labels, scores)).toBeCloseTo(area, 12);
        else expect(averagePrecision(labels, scores)).toBeNaN();
      }),
    );
  });

  it('take neither rows in another order nor a monotone change of the scores for a change', () => {
    fc.assert(
      fc.property(rankedRows, ({ scores, labels }) => {
        const changed = Float64Array.from(scores, (score) => Math.exp(score)).reverse();
        const reversed = labels.slice().reverse();
        fc.pre(labels.includes(0) && labels.includes(1));
        expect(aucRoc(reversed, changed)).toBeCloseTo(aucRoc(labels, scores), 12);
        expect(averagePrecision(reversed, changed)).toBeCloseTo(averagePrecision(labels, scores), 12);
      }),
    );
  });

  it('rank 1.5 million rows within a second', () => {
    const prng = createPrng(3);
    const scores = Float32Array.from({ length: 1_500_000 }, () => prng.nextFloat());
    const labels = Uint8Array.from(scores, (score) => Number(prng.nextFloat() < 0.02 * score));
    const start = performance.now();
    const auc = aucRoc(labels, scores);
    const seconds = (performance.now() - start) / 1000;
    expect(auc).toBeCloseTo(2 / 3, 1);
    expect(seconds).toBeLessThan(5);
  });
});

describe('cardPrecisionAtK', () => {
  it('takes each customer once a day and leaves out those caught before', () => {
    const rows: [day: number, customer: number, label: number, score: number][] = [
      [0, 1, 0, 0.9],
      [0, 1, 1, 0.1], // the customer's greatest score and label need not be of the same row
      [0, 2, 0, 0.8],
      [0, 3, 1, 0.7],
      [1, 1, 1, 0.9], // caught on day 0
      [1, 2, 0, 0.6],
      [1, 3, 1, 0.5], // not among the two of day 0
      [1, 4, 1, 0.4],
    ];
    const days = Int32Array.from(rows, ([day]) => day);
    const customers = Uint32Array.from(rows, ([, customer]) => customer);
    const labels = Uint8Array.from(rows, ([, , label]) => label);
    const scores = Float32Array.from(rows, ([, , , score]) => score);
    expect(cardPrecisionAtK(days, customers, labels, scores, 2)).toBe((1 / 2 + 1 / 2) / 2);
    expect(cardPrecisionAtK(days, customers, labels, scores, 100)).toBe((2 / 100 + 1 / 100) / 2);
  });
});

describe('evaluateScores', () => {
  it('gives means and population deviations over the folds', () => {
    const fold = (labels: Uint8Array) => ({
      ...{ labels, scores: Float32Array.of(0.9, 0.1) },
      ...{ days: Int32Array.of(0, 0), customers: Uint32Array.of(1, 2) },
    });
    const metrics = evaluateScores([fold(Uint8Array.of(1, 0)), fold(Uint8Array.of(0, 1))]);
    expect(metrics).toMatchObject({ aucRoc: 0.5, aucRocStd: 0.5, averagePrecision: 0.75, averagePrecisionStd: 0.25 });
    expect(metrics).toMatchObject({ cardPrecision100: 0.01, cardPrecision100Std: 0 });
  });
});

describe('cost', () => {
  const costs = { lossGivenFraudShare: 0.8, reviewMinor: 300, wrongDeclineMinor: 2000, analystAccuracyShare: 0.9 };
  const amounts = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 50, maxLength: 50 });

  it('adds what is lost, what is looked at and what is held wrongly', () => {
    const actions = ['approve', 'review', 'hold', 'approve', 'review', 'hold'] as const;
    const rows = {
      labels: Uint8Array.of(1, 1, 1, 0, 0, 0),
      worthsMinor: Float64Array.of(10_000, 5_000, 20_000, 1_000, 1_000, 1_000),
    };
    const cost = costOfActions(rows, (row) => actions[row], costs);
    expect(cost).toEqual({
      ...{ approvedMinor: 8000, heldMinor: 2000, flagged: 4 },
      reviewedMinor: expect.closeTo(300 + 0.1 * 4000 + 300 + 0.1 * 2000, 9),
      totalMinor: expect.closeTo(11_200, 9),
    });
  });

  it('each step costs what its threshold does, and none is cheaper than the cheapest', () => {
    fc.assert(
      fc.property(rankedRows, amounts, ({ scores: risk, labels }, given) => {
        const worthsMinor = Float64Array.from(given.slice(0, risk.length));
        const holdAtRisk = 0.5;
        const steps = costSteps({ labels, risk, worthsMinor }, costs, holdAtRisk);
        const costAt = (threshold: number) =>
          costOfActions(
            { labels, worthsMinor },
            (row) => (risk[row] < threshold ? 'approve' : risk[row] >= holdAtRisk ? 'hold' : 'review'),
            costs,
          );
        steps.thresholds.forEach((threshold, step) => {
          const { totalMinor, flagged } = costAt(threshold);
          expect(steps.costsMinor[step]).toBeCloseTo(totalMinor, 6);
          expect(steps.flagged[step]).toBe(flagged);
        });
        const cheapest = steps.costsMinor[cheapestStep(steps)];
        for (const threshold of [Number.POSITIVE_INFINITY, ...risk]) {
          expect(cheapest).toBeLessThanOrEqual(costAt(threshold).totalMinor + 1e-6);
        }
      }),
    );
  });

  it('the capacity threshold flags as many rows as the days allow, and one step lower would flag too many', () => {
    fc.assert(
      fc.property(
        rankedRows,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 10 }),
        ({ scores }, days, perDay) => {
          const threshold = capacityThreshold(scores, days, perDay);
          const flagged = scores.filter((score) => score >= threshold).length;
          const below = Math.max(...scores.filter((score) => score < threshold));
          expect(flagged).toBeLessThanOrEqual(days * perDay);
          if (flagged < scores.length) {
            expect(scores.filter((score) => score >= below).length).toBeGreaterThan(days * perDay);
          }
        },
      ),
    );
  });
});

describe('reliability', () => {
  it("Brier score is scikit-learn's", () => {
    expect(brierScore(LABELS, SCORES)).toBeCloseTo(0.121484375, 12);
  });

  it('a table of equal mass covers every row once, in order', () => {
    fc.assert(
      fc.property(rankedRows, fc.integer({ min: 1, max: 12 }), ({ scores, labels }, bins) => {
        const table = reliabilityTable(labels, scores, bins);
        expect(table.length).toBeLessThanOrEqual(bins);
        expect(table.reduce((sum, { rows }) => sum + rows, 0)).toBe(scores.length);
        table.forEach((bin, i) => {
          expect(bin.least).toBeLessThanOrEqual(bin.greatest);
          if (i > 0) expect(bin.least).toBeGreaterThan(table[i - 1].greatest);
        });
        const frauds = table.reduce((sum, { rows, fraudRate }) => sum + rows * fraudRate, 0);
        expect(frauds).toBeCloseTo(
          labels.reduce((sum, label) => sum + label, 0),
          9,
        );
      }),
    );
  });

  it('a table of rare frauds parts the topmost bin until its parts are few rows, and covers every row once', () => {
    const rows = 60_000;
    const probabilities = Float64Array.from({ length: rows }, (_, row) => (row / rows) ** 4);
    const table = rareReliabilityTable(new Uint8Array(rows), probabilities);
    expect(table.map((bin) => bin.rows)).toEqual([
      ...new Array<number>(9).fill(6000),
      ...new Array<number>(9).fill(600),
      ...new Array<number>(10).fill(60),
    ]);
    table.slice(1).forEach((bin, i) => {
      expect(bin.least).toBeGreaterThan(table[i].greatest);
    });
    expect(rareReliabilityTable(new Uint8Array(rows), new Float64Array(rows))).toHaveLength(1);
    expect(rareReliabilityTable(new Uint8Array(0), new Float64Array(0))).toEqual([]);
  });

  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('the interval of %d of %d is that of Newcombe, Statistics in Medicine 17, 1998', (count, rows, low, high) => {
    const interval = wilsonInterval(count, rows);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
    const others = wilsonInterval(rows - count, rows);
    expect([1 - others.high, 1 - others.low]).toEqual([
      expect.closeTo(interval.low, 12),
      expect.closeTo(interval.high, 12),
    ]);
  });

  it('the error is 0 for probabilities that hold and the distance for those that do not', () => {
    const probabilities = Float64Array.of(0, 0, 0.5, 0.5, 1, 1);
    expect(expectedCalibrationError(Uint8Array.of(0, 0, 1, 0, 1, 1), probabilities, 3)).toBe(0);
    expect(expectedCalibrationError(Uint8Array.of(0, 0, 0, 0, 1, 1), probabilities, 3)).toBeCloseTo(0.5 / 3, 12);
  });
});

describe('recallByTypology', () => {
  it('counts what the budget reaches, the most frequent typology first', () => {
    const recall = recallByTypology(
      Uint8Array.of(1, 1, 0, 1, 1),
      Float32Array.of(0.1, 0.9, 0.8, 0.7, 0.6),
      ['F01', 'F01', 'F02', 'F02', null],
      3,
    );
    expect(recall).toEqual([
      { typology: 'F01', frauds: 2, caught: 1, recall: 0.5 },
      { typology: null, frauds: 1, caught: 0, recall: 0 },
      { typology: 'F02', frauds: 1, caught: 1, recall: 1 },
    ]);
  });
});

it('every metric wants one label per score', () => {
  expect(() => aucRoc(Uint8Array.of(1), Float32Array.of(1, 2))).toThrow('2 scores but 1 labels');
  expect(() => brierScore(Uint8Array.of(1), Float32Array.of(1, 2))).toThrow('2 scores but 1 labels');
});

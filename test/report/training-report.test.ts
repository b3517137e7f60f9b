// The page of a training: every network's curve with the epoch that was kept, whatever the figures; no markup from data.
import { describe, expect, it } from 'vitest';
import type { TrainingCurve } from '../../src/models/network/observer.ts';
import { renderTrainingReport } from '../../src/report/training/render-training-report.ts';
import type { TrainingReport } from '../../src/report/training/training-data.ts';

const curve = (losses: readonly number[], validation: readonly number[] | null, bestEpoch: number): TrainingCurve => ({
  history: losses.map((loss, index) => ({
    epoch: index + 1,
    loss,
    validationLoss: validation === null ? null : validation[index],
    learningRate: 0.001,
  })),
  bestEpoch,
});

const REPORT: TrainingReport = {
  fileName: 'banco <julio>.csv',
  model: 'tarjetas@3',
  rows: 12_345,
  periodMs: [Date.UTC(2026, 0, 5, 12), Date.UTC(2026, 1, 18, 12)],
  detectors: [
    {
      name: 'network',
      supervised: true,
      settings: [{ name: 'layers', value: 'dense 32 relu → <b>' }],
      curves: [curve([0.9, 0.2, 0.1], [0.8, 0.3, 0.4], 2), curve([0.9, 0.3, 0.1], [0.8, 0.4, 0.2], 3)],
    },
    { name: 'autoencoder', supervised: false, settings: [], curves: [curve([0.5, 0.4], null, 2)] },
    { name: 'gbdt', supervised: true, settings: [{ name: 'trees', value: '120' }], curves: [] },
  ],
  metrics: {
    ...{ evaluatedRows: 2000, evaluatedFrauds: 18, aucRoc: 0.87654, averagePrecision: 0.4321 },
    expectedCalibrationError: null,
  },
  features: [{ id: 'count.payer.1d', meaning: { es: 'operaciones del día', en: 'transactions of the day' } }],
  seconds: 12,
  seed: 1,
  version: '0.1.0',
  createdMs: Date.UTC(2026, 2, 1, 17, 30),
  utcOffsetMinutes: -300,
};

const chartsOf = (page: string): string[] => page.match(/<svg class="chart".*?<\/svg>/gs) ?? [];

/** The points of a chart's line, in its coordinates. */
function pointsOf(chart: string, line: number): number[][] {
  const path = new RegExp(`class="line line-${line}" d="M(.*?)"`).exec(chart)![1];
  return path.split('L').map((point) => point.split(' ').map(Number));
}

describe('the page of a training', () => {
  const page = renderTrainingReport(REPORT, 'es');

  it('draws a chart for each network, with the kept epoch on its validation line', () => {
    const charts = chartsOf(page);
    expect(charts).toHaveLength(3);
    for (const [index, best] of [2, 3].entries()) {
      const [x, y] = /class="operating" cx="([\d.]+)" cy="([\d.]+)"/.exec(charts[index])!.slice(1).map(Number);
      expect([x, y]).toEqual(pointsOf(charts[index], 1)[best - 1]);
      expect(charts[index]).toContain(`guardada: ${best}`);
    }
    expect(charts[2]).not.toContain('line-1');
    // The lower the loss, the lower the point; and both networks on one scale.
    const [first, second] = charts.map((chart) => pointsOf(chart, 0));
    expect(first.map(([, y]) => y)).toEqual(first.map(([, y]) => y).sort((a, b) => a - b));
    expect([first[0], first[2]]).toEqual([second[0], second[2]]);
  });

  it('tells figures, settings, features and each epoch in both languages', () => {
    for (const text of ['0.877', '0.432', '12,345', '0.8765', 'tarjetas@3', 'count.payer.1d', '01/03/2026', '12:30']) {
      expect(page).toContain(text);
    }
    expect(page).toContain('<dt><code>trees</code></dt><dd>120</dd>');
    expect(page).toContain('no se puede medir');
    expect(renderTrainingReport(REPORT, 'en')).toContain('<html lang="en"');
    expect(page.match(/ lang="es">/g)!.length).toBe(page.match(/ lang="en">/g)!.length);
  });

  it('lets no text of a file become markup', () => {
    expect(page).toContain('banco &lt;julio&gt;.csv');
    expect(page).toContain('relu → &lt;b&gt;');
    expect(page).not.toMatch(/<julio>|<b>/);
  });

  it.each<[string, TrainingCurve]>([
    ['one epoch', curve([0.3], [0.2], 1)],
    ['losses that never change', curve([0.3, 0.3], [0.3, 0.3], 1)],
    ['losses of 0', curve([0, 0], null, 2)],
    ['tiny losses', curve([9e-7, 8e-7], [9e-7, 8.5e-7], 2)],
    ['losses over many powers of ten', curve([500, 1e-3], [20, 1e-4], 2)],
    ['negative losses', curve([-1, -2], [-1, -1.5], 2)],
  ])('draws %s within the chart', (_, one) => {
    const [detector] = REPORT.detectors;
    const charts = chartsOf(renderTrainingReport({ ...REPORT, detectors: [{ ...detector, curves: [one] }] }, 'es'));
    expect(charts).toHaveLength(1);
    expect(charts[0]).not.toMatch(/NaN|Infinity/);
    for (const [x, y] of pointsOf(charts[0], 0)) {
      expect(x).toBeGreaterThanOrEqual(62);
      expect(x).toBeLessThanOrEqual(456);
      expect(y).toBeGreaterThanOrEqual(30);
      expect(y).toBeLessThanOrEqual(256);
    }
  });

  it('says so where no detector is a network, or there were no labels', () => {
    const none = renderTrainingReport(
      {
        ...REPORT,
        detectors: [REPORT.detectors[2]],
        metrics: { ...REPORT.metrics, aucRoc: null, averagePrecision: null },
      },
      'es',
    );
    expect(chartsOf(none)).toHaveLength(0);
    expect(none).toContain('Ningún detector de este modelo es una red neuronal');
    expect(none).toContain('sin etiquetas en el tramo posterior');
  });
});

// The page as text: nothing of a file becomes code, nothing leaves the page, every text is in both languages.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { habitualBand } from '../../src/report/charts/history-chart.ts';
import { niceTicks, powersOfTen, spread } from '../../src/report/charts/scale.ts';
import { clockOf } from '../../src/report/clock.ts';
import { both, escapeHtml } from '../../src/report/html.ts';
import { limaIso } from '../../src/report/lima-time.ts';
import { renderReport } from '../../src/report/render-report.ts';
import type { ReportAnomaly, ReportData } from '../../src/report/report-data.ts';
import { DECISION_TEXTS, HOW_TO_READ, TERMINAL_TEXTS, TEXTS } from '../../src/report/texts.ts';
import { typologyName } from '../../src/report/typologies.ts';
import { reportFixture, smallestReport } from './report-fixture.ts';

const HOSTILE = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script><!-- &amp; \u0000\ud800 --><svg onload=alert(3)>`;

/** Fields whose words are this program's. */
const OWN_WORDS = ['decision', 'severity', 'label', 'channel'];

/** The same report with every text of the file replaced. */
function hostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return OWN_WORDS.includes(key) ? value : HOSTILE;
  if (Array.isArray(value)) return value.map((item) => hostile(item, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hostile(item, name)]));
}

const tagsOf = (page: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const [, tag] of page.matchAll(/<([a-z][a-z0-9]*)/gi)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return counts;
};

describe('escaping', () => {
  test('hostile texts add no element and no attribute', () => {
    const data = hostile(reportFixture({ anomalies: 5 })) as ReportData;
    const page = renderReport(data, 'es');
    expect(page).not.toContain('<img');
    expect(page).not.toContain(HOSTILE.slice(0, 3));
    expect(page).not.toMatch(/<svg onload/);
    expect(tagsOf(page).get('script')).toBe(1);
    expect(page).not.toContain('\u0000');
    expect(page.isWellFormed()).toBe(true);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  test('any text survives as itself', () => {
    const decode = (markup: string): string =>
      markup.replace(
        /&(amp|lt|gt|quot|#39);/g,
        (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
      );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(decode(escaped)).toBe(text.replace(/[\u007f-\u009f\ufffe\uffff]/g, '\ufffd'));
      }),
    );
  });

  test('an amount is not parted from its currency', () => {
    expect(both({ es: 'frente a S/ 10.00, 94 %', en: 'against S/ 10.00' }).markup).toBe(
      '<span lang="es">frente a S/\u00a010.00, 94\u00a0%</span><span lang="en">against S/\u00a010.00</span>',
    );
  });
});

describe('the page', () => {
  const pages = {
    labelled: reportFixture({ anomalies: 20 }),
    unlabelled: reportFixture({ anomalies: 20, labelled: false }),
    empty: reportFixture({ anomalies: 0 }),
    smallest: smallestReport(),
  };

  test.each(Object.entries(pages))('%s: self-contained, numbers are numbers, both languages', (_, data) => {
    const page = renderReport(data, 'en');
    expect(page).toMatch(/^<!doctype html>\n<html lang="en"/);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/(https?:)?\/\/[a-z]/i);
    expect(page).not.toMatch(/\b(src|href)=/);
    expect(page.replace(/<script>.*<\/script>/s, '')).not.toMatch(/NaN|Infinity|undefined|\[object/);
    const spanish = page.match(/lang="es"/g)?.length ?? 0;
    expect(spanish).toBeGreaterThan(20);
    expect(page.match(/lang="en"/g)?.length).toBe(spanish + 1);
  });

  test('charts hold only finite numbers and balanced elements', () => {
    const page = renderReport(pages.labelled, 'es');
    const charts = page.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(charts.length).toBeGreaterThan(20);
    for (const chart of charts) {
      for (const [, value] of chart.matchAll(/\s(?:x|y|cx|cy|r|width|height)="([^"]*)"/g))
        expect(value).toMatch(/^-?\d+(\.\d+)?$/);
      for (const [, path] of chart.matchAll(/\sd="([^"]*)"/g)) expect(path).toMatch(/^[MLHVhv\d. -]+$/);
      for (const tag of ['g', 'text', 'svg', 'title']) {
        expect(chart.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length ?? 0).toBe(
          chart.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0,
        );
      }
    }
  });

  test('charts of probabilities and costs hold at their edges', () => {
    const { costs, ...data } = reportFixture({ anomalies: 1 });
    const none = { flaggedPerDay: 0, costPerDayMinor: 0 };
    const edges: Partial<ReportData>[] = [
      { reliability: [{ rows: 9, frauds: 0, meanProbability: 0, low: 0, high: 0.3 }], costs },
      { reliability: [{ rows: 9, frauds: 9, meanProbability: 1, low: 0.7, high: 1 }], costs },
      { reliability: [], costs: null },
      {
        costs: {
          ...costs!,
          ...{ curve: [], chosen: none, byCost: none, approveAllPerDayMinor: 0, chosenByCost: true },
          cheapest: { ...none, threshold: Number.POSITIVE_INFINITY },
        },
      },
    ];
    for (const edge of edges) {
      const page = renderReport({ ...data, costs: null, ...edge }, 'es');
      expect(page.replace(/<script>.*<\/script>/s, '')).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  test('odd numbers in the data leave a readable page', () => {
    const data = reportFixture({ anomalies: 3 });
    const odd = data.anomalies.map(
      (anomaly): ReportAnomaly => ({
        ...anomaly,
        amountMinor: -500,
        reasons: [],
        detectors: [],
        history: [
          { timeMs: Number.NaN, amountMinor: 5, flagged: false },
          { timeMs: anomaly.timeMs, amountMinor: 0, flagged: false },
          { timeMs: anomaly.timeMs, amountMinor: -500, flagged: false },
        ],
      }),
    );
    const page = renderReport(
      { ...data, anomalies: odd, scores: { counts: [0, 0], positives: null, threshold: 2 } },
      'es',
    );
    expect(page.replace(/<script>.*<\/script>/s, '')).not.toMatch(/NaN|Infinity|undefined/);
    expect(page).toContain('-S/ 5.00');
  });

  test('groups say what they share, how much, when and where; without groups there is no section', () => {
    const page = renderReport(pages.labelled, 'en');
    const section = page.slice(page.indexOf('<section id="groups">'), page.indexOf('<section id="anomalies">'));
    expect(section).toContain('Groups of similar anomalies');
    expect(section).toContain('The amount departs from habitual behaviour');
    expect(section).toMatch(/94\u00a0?%/);
    expect(section).toContain('22:00–04:00 (78%)');
    expect(section).toContain('at all hours');
    expect(section).toContain('S/ 412,203.80');
    expect(section).toContain('app 80%, web 20%');
    expect(section).toContain('1, 3, 5');
    expect(section).toMatch(/40\u00a0?%/);
    expect(renderReport(pages.unlabelled, 'en')).not.toMatch(
      /<section id="groups">.*Fraud or error.*<section id="anomalies">/s,
    );
    expect(renderReport(pages.empty, 'en')).not.toContain('id="groups"');
  });

  test('200 anomalies stay under 3 MB', () => {
    expect(Buffer.byteLength(renderReport(reportFixture({ anomalies: 200 }), 'es'))).toBeLessThan(3_000_000);
  });

  test('the same data gives the same bytes', () => {
    expect(renderReport(reportFixture(), 'es')).toBe(renderReport(reportFixture(), 'es'));
  });

  test('empty states say what is missing', () => {
    const page = renderReport(pages.smallest, 'es');
    for (const text of [TEXTS.noAnomalies.es, TEXTS.noLabels.es, TEXTS.qualityNone.es]) expect(page).toContain(text);
    expect(page).not.toContain('<table class="anomalies">');
  });
});

describe('texts', () => {
  test('each is written in both languages', () => {
    const all = [
      ...Object.values(TEXTS),
      ...Object.values(TERMINAL_TEXTS),
      ...Object.values(DECISION_TEXTS),
      ...HOW_TO_READ,
    ];
    for (const { es, en } of all) {
      expect(es.trim()).toBe(es);
      expect(en.trim()).toBe(en);
      expect(Math.min(es.length, en.length)).toBeGreaterThan(0);
    }
  });

  test('a typology has a name, an unknown one keeps its code', () => {
    expect(typologyName('F08')).toEqual({ es: 'Cuenta mula', en: 'Mule account' });
    expect(typologyName('scenario-2')).toEqual({ es: 'scenario-2', en: 'scenario-2' });
    expect(typologyName('constructor')).toEqual({ es: 'constructor', en: 'constructor' });
  });
});

describe('times', () => {
  const noonUtc = Date.UTC(2025, 10, 2, 3, 5, 9);

  test('Lima is five hours behind', () => {
    expect(limaIso(noonUtc)).toBe('2025-11-01T22:05:09-05:00');
    const clock = clockOf({});
    expect([clock.date(noonUtc).es, clock.date(noonUtc).en, clock.time(noonUtc)]).toEqual([
      '01/11/2025',
      '1 Nov 2025',
      '22:05',
    ]);
  });

  test('a file with another time zone is shown in it', () => {
    const clock = clockOf({ utcOffsetMinutes: 0 });
    expect([clock.date(noonUtc).es, clock.time(noonUtc), clock.zone.es]).toEqual(['02/11/2025', '03:05', 'UTC']);
    expect(clockOf({ utcOffsetMinutes: 330 }).zone.es).toBe('UTC+05:30');
  });
});

describe('scales', () => {
  test('ticks begin at 0, reach the greatest value and are few', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (greatest) => {
        const ticks = niceTicks(greatest, 4);
        expect(ticks[0]).toBe(0);
        expect(ticks[ticks.length - 1]).toBeGreaterThanOrEqual(greatest * (1 - 1e-9));
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(6);
      }),
    );
    expect(niceTicks(0, 4)).toEqual([0]);
    expect(powersOfTen(0)).toEqual([1, 10]);
    expect(powersOfTen(1000)).toEqual([1, 10, 100, 1000]);
    expect(powersOfTen(1001)).toEqual([1, 10, 100, 1000, 10_000]);
  });

  test('labels keep their distance and their order, within the frame', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1, maxLength: 6 }), (wanted) => {
        const placed = spread(wanted, 18, 0, 300);
        const order = wanted.map((_, index) => index).sort((a, b) => placed[a] - placed[b]);
        for (let i = 1; i < order.length; i++) {
          expect(placed[order[i]] - placed[order[i - 1]]).toBeGreaterThanOrEqual(18 - 1e-9);
          expect(wanted[order[i]]).toBeGreaterThanOrEqual(wanted[order[i - 1]]);
        }
        expect(Math.max(...placed)).toBeLessThanOrEqual(300 + 1e-9);
        expect(Math.min(...placed)).toBeGreaterThanOrEqual(-1e-9);
      }),
    );
  });

  test('the habitual band leaves out the flagged and the extremes, and needs a habit', () => {
    const points = Array.from({ length: 41 }, (_, index) => ({
      timeMs: index,
      amountMinor: 100 + index,
      flagged: false,
    }));
    expect(habitualBand([...points, { timeMs: 50, amountMinor: 1e6, flagged: true }])).toEqual({ low: 102, high: 138 });
    expect(habitualBand(points.slice(0, 4))).toBeNull();
  });
});

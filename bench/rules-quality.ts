// What the default rules are worth on simulated Peru: recall per typology when .5 % of the transactions are flagged, with the
// rules alone, the models alone and both in one ranking, and the share of the genuine look-alikes that are flagged.
//
// Models are fitted, and rules' precisions learnt, on the earlier part of each simulation; the figures are of its later part.
// About three in a thousand transactions are true, so a budget of five must flag genuine ones, and look-alikes come first: beside
// the whole budget there are the figures of the alerts that are worth a look, within the budget (ALERT_LEVELS).
//
// Usage: node bench/rules-quality.ts --seeds 101,102 [--customers 20000] [--days 60] [--ledger] [--rules-only]
import { parseArgs } from 'node:util';
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { DEFAULT_HOLD_AT_RISK, decideAction } from '../src/decisions/decision.ts';
import { scoreRisk } from '../src/decisions/risk-model.ts';
import { combinedProbability, type FiredRows, fitEvidence, rulePrecisions } from '../src/decisions/rule-evidence.ts';
import { defaultCatalogue } from '../src/features/catalogue/catalogue.ts';
import type { FeatureTable } from '../src/pipeline/feature-table.ts';
import type { Rule } from '../src/rules/rule.ts';
import { detectorChoices } from '../src/training/detector-choices.ts';
import { fitRiskModel } from '../src/training/fit-risk-model.ts';
import { periodOf } from '../src/training/time-line.ts';
import { compileRules, readDefaultRules, type SimulatedRows, simulateRows } from './rules-rows.ts';

const BUDGET_SHARE = 0.005;
const EVALUATION_SHARE = 0.3;
const STACKING_SHARE = 0.25;
const LABEL_DELAY_MS = 7 * 86_400_000;
const MAX_TRAINING_ROWS = 300_000;
const DETECTORS = 'gbdt,isolation-forest';

/** Chosen on simulations with the seeds 1 and 2: `train --review-at-risk 0.3 --review-at-risk-without-money 0.5 --review-at-loss 3000`. */
const ALERT_LEVELS = {
  ...{ reviewAtRisk: 0.3, reviewAtRiskWithoutMoney: 0.5, reviewAtLossMinor: 300_000, holdAtRisk: DEFAULT_HOLD_AT_RISK },
};

/** `alerts`: of both, those within the budget that are worth a look. */
const WAYS = ['rules', 'models', 'both', 'alerts'] as const;
type Way = (typeof WAYS)[number];

/** Of one typology, or of all. */
interface Tally {
  rows: number;
  amount: number;
  readonly caughtRows: Record<Way, number>;
  readonly caughtAmount: Record<Way, number>;
}

interface Health {
  fired: number;
  right: number;
  lookAlikes: number;
  readonly typologies: Map<string, number>;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    customers: { type: 'string', default: '20000' },
    days: { type: 'string', default: '60' },
    ledger: { type: 'boolean', default: false },
    'rules-only': { type: 'boolean', default: false },
  },
});

const set = compileRules(readDefaultRules());
const tallies = new Map<string, Tally>();
const ledger: Health[] = set.rules.map(() => ({ fired: 0, right: 0, lookAlikes: 0, typologies: new Map() }));
const lookAlikes: Record<'all' | Way, number> = { all: 0, rules: 0, models: 0, both: 0, alerts: 0 };
const flaggedRows: Record<Way, number> = { rules: 0, models: 0, both: 0, alerts: 0 };
let genuine = 0;
let laterRows = 0;
const lookAlikeKinds = new Map<string, number>();
for (const seed of values.seeds.split(',').map(Number)) {
  const size = { customers: Number(values.customers), days: Number(values.days), seed };
  measure(simulateRows(set, size), seed);
}
print();

function measure(simulated: SimulatedRows, seed: number): void {
  const { table, fired } = simulated;
  const { timesMs, labels } = table;
  const [startMs, endMs] = periodOf(timesMs);
  const cutMs = endMs - (endMs - startMs) * EVALUATION_SHARE;
  const knownUntilMs = cutMs - LABEL_DELAY_MS;
  const stackingFromMs = knownUntilMs - (knownUntilMs - startMs) * STACKING_SHARE;
  const rowsOf = (fromMs: number, toMs: number) =>
    Uint32Array.from(timesMs.keys()).filter((row) => timesMs[row] >= fromMs && timesMs[row] < toMs);
  const learnt = rowsOf(Number.NEGATIVE_INFINITY, knownUntilMs);
  const later = rowsOf(cutMs, Number.POSITIVE_INFINITY);
  const precisions = rulePrecisions(set.rules, takeFired(fired, learnt), takeLabels(labels, learnt));
  const rankings: Partial<Record<Way, Float64Array>> = {
    rules: Float64Array.from(later, (row) => combinedProbability(precisions, 0, fired, row)),
  };
  if (!values['rules-only']) {
    const stackingRows = rowsOf(stackingFromMs, knownUntilMs);
    const model = fitRiskModel(table, {
      definitions: defaultCatalogue,
      detectors: detectorChoices(DETECTORS, detectorsHere()),
      ...{ endMs: cutMs, labelDelayMs: LABEL_DELAY_MS, stackingShare: STACKING_SHARE },
      ...{ maxRows: MAX_TRAINING_ROWS, seed, outOfSampleReference: true },
    });
    const risksBefore = scoreRisk(model, table.take(stackingRows)).risk;
    const risks = scoreRisk(model, table.take(later)).risk;
    const evidence = fitEvidence(
      precisions,
      risksBefore,
      takeFired(fired, stackingRows),
      takeLabels(labels, stackingRows),
    );
    rankings.models = Float64Array.from(risks);
    rankings.both = Float64Array.from(later, (row, index) => combinedProbability(evidence, risks[index], fired, row));
  }
  count(simulated, later, rankings);
}

function count(simulated: SimulatedRows, later: Uint32Array, rankings: Partial<Record<Way, Float64Array>>): void {
  const { table, fired, operations, lookAlikes: isLookAlike } = simulated;
  const { labels, worthsMinor, typologies, typologyNames } = table;
  const flagged = new Map(
    Object.entries(rankings).map(([way, ranking]) => [
      way as Way,
      highest(ranking, Math.round(later.length * BUDGET_SHARE), table, later),
    ]),
  );
  const { both } = rankings;
  if (both !== undefined) {
    const inBudget = flagged.get('both')!;
    flagged.set(
      'alerts',
      inBudget.map((is, index) => is & Number(isAlert(both[index], worthsMinor[later[index]]))),
    );
  }
  laterRows += later.length;
  later.forEach((row, index) => {
    const typology = typologyNames[typologies[row]];
    const soles = Number.isNaN(worthsMinor[row]) ? 0 : worthsMinor[row] / 100;
    for (const name of labels[row] === 1 ? [typology ?? '?', 'all'] : []) {
      const tally = tallyOf(name);
      tally.rows++;
      tally.amount += soles;
      for (const [way, rows] of flagged) {
        if (rows[index] === 0) continue;
        tally.caughtRows[way]++;
        tally.caughtAmount[way] += soles;
      }
    }
    if (labels[row] !== 1) genuine++;
    lookAlikes.all += isLookAlike[row];
    if (isLookAlike[row] === 1 && flagged.get('alerts')?.[index] === 1) {
      lookAlikeKinds.set(operations[row], (lookAlikeKinds.get(operations[row]) ?? 0) + 1);
    }
    for (const [way, rows] of flagged) {
      lookAlikes[way] += rows[index] * isLookAlike[row];
      flaggedRows[way] += rows[index];
    }
    for (let i = fired.starts[row]; i < fired.starts[row + 1]; i++) {
      const health = ledger[fired.rules[i]];
      health.fired++;
      health.lookAlikes += isLookAlike[row];
      if (labels[row] !== 1) continue;
      health.right++;
      health.typologies.set(typology ?? '?', (health.typologies.get(typology ?? '?') ?? 0) + 1);
    }
  });
}

/** 1 for the `length` highest; of equals the greater amount, then the earlier row. */
function highest(ranking: Float64Array, length: number, { worthsMinor }: FeatureTable, later: Uint32Array): Uint8Array {
  const worth = (index: number) => worthsMinor[later[index]] || 0;
  const order = Uint32Array.from(ranking.keys()).sort(
    (a, b) => ranking[b] - ranking[a] || worth(b) - worth(a) || a - b,
  );
  const flagged = new Uint8Array(ranking.length);
  for (const index of order.subarray(0, length)) flagged[index] = 1;
  return flagged;
}

function isAlert(risk: number, worthMinor: number): boolean {
  return decideAction(risk, true, worthMinor, ALERT_LEVELS) !== 'approve';
}

function tallyOf(name: string): Tally {
  let tally = tallies.get(name);
  if (tally === undefined) {
    const none = () => ({ rules: 0, models: 0, both: 0, alerts: 0 });
    tally = { rows: 0, amount: 0, caughtRows: none(), caughtAmount: none() };
    tallies.set(name, tally);
  }
  return tally;
}

function takeFired({ starts, rules }: FiredRows, rows: Uint32Array): FiredRows {
  const takenStarts = new Uint32Array(rows.length + 1);
  const taken: number[] = [];
  rows.forEach((row, index) => {
    taken.push(...rules.subarray(starts[row], starts[row + 1]));
    takenStarts[index + 1] = taken.length;
  });
  return { starts: takenStarts, rules: Uint16Array.from(taken) };
}

function takeLabels(labels: Int8Array, rows: Uint32Array): Int8Array {
  return Int8Array.from(rows, (row) => labels[row]);
}

function print(): void {
  const percent = (part: number, whole: number) =>
    (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(0)}`).padStart(5);
  write('typology   rows    soles        | recall by count, %        | by amount, %');
  write(`                                | ${WAYS.join(' ')}  | ${WAYS.join(' ')}`);
  for (const [name, tally] of [...tallies].sort(([a], [b]) => a.localeCompare(b))) {
    const { rows, amount, caughtRows, caughtAmount } = tally;
    const counts = WAYS.map((way) => percent(caughtRows[way], rows)).join(' ');
    const amounts = WAYS.map((way) => percent(caughtAmount[way], amount)).join(' ');
    write(
      `${name.padEnd(8)} ${String(rows).padStart(6)} ${amount.toFixed(0).padStart(12)}    | ${counts}   | ${amounts}`,
    );
  }
  const { all } = lookAlikes;
  const shares = WAYS.map((way) => `${way} ${((100 * lookAlikes[way]) / Math.max(1, all)).toFixed(2)} %`);
  write(`${all} look-alikes among ${genuine} genuine rows; flagged: ${shares.join(', ')}`);
  const kinds = [...lookAlikeKinds].sort((a, b) => b[1] - a[1]).map(([kind, rows]) => `${kind} ${rows}`);
  write(`of those among the alerts: ${kinds.join(', ')}`);
  const total = tallyOf('all');
  for (const way of WAYS) {
    const right = `${percent(total.caughtRows[way], flaggedRows[way]).trim()} % right`;
    write(`${way}: ${((100 * flaggedRows[way]) / laterRows).toFixed(2)} % flagged, ${right}`);
  }
  if (values.ledger) printLedger(set.rules);
}

function printLedger(rules: readonly Rule[]): void {
  write('\nrule                                     fired  right  look-alikes  what');
  rules.forEach(({ id }, index) => {
    const { fired, right, lookAlikes: alike, typologies } = ledger[index];
    const what = [...typologies]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 6)
      .map(([name, rows]) => `${name} ${rows}`);
    write(
      `${id.padEnd(40)} ${String(fired).padStart(5)} ${percentText(right, fired)}  ${String(alike).padStart(5)}        ${what.join(', ')}`,
    );
  });
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function percentText(part: number, whole: number): string {
  return (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(0)} %`).padStart(6);
}

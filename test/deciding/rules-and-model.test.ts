// Rules and a model decide together: trained on simulated history, scored, replayed and ranked through the same path.
import { isAbsolute } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import { combinedRisk } from '../../src/decisions/combined-risk.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import { EXPECTED } from '../../src/decisions/rule-evidence.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { createTaskPerformer } from '../../src/jobs/detect/fit-and-score.ts';
import { fitSegments, learnEvidence, type Segment, scoreTable, withRules } from '../../src/jobs/detect/score-table.ts';
import type { SecondThread } from '../../src/jobs/detect/second-thread.ts';
import { verdictsOf } from '../../src/jobs/detect/verdicts.ts';
import { type FileFeatures, readFeatures } from '../../src/jobs/read-features.ts';
import { headerLine } from '../../src/jobs/replay/decision-log.ts';
import { ALL_HISTORY, passHistory } from '../../src/jobs/replay/history.ts';
import { buildVersions } from '../../src/jobs/replay/versions.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { scoreFile } from '../../src/jobs/score.ts';
import { type TrainedModel, trainModel } from '../../src/jobs/train.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import type { Decision } from '../../src/pipeline/explain-decision.ts';
import type { StoredModel } from '../../src/registry/model-store.ts';
import type { PlacedRule } from '../../src/rules/read-rules.ts';
import { ruleVersion } from '../../src/rules/rule.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { readerOf, simulate } from '../replay/simulated-reader.ts';

const DAY_MS = 86_400_000;
const LABEL_DELAY_MS = DAY_MS;
const known = knownDetectors(createGraphRuntime());
const names = known.map(({ name }) => name);

let history: Transaction[];
let placed: readonly PlacedRule[];
let features: FileFeatures;
let trained: TrainedModel;
let stored: StoredModel;

/** So few customers meet too few frauds to learn from: two thirds of what an invalid account receives is one too. */
function withMoreFrauds(transaction: Transaction, index: number): Transaction {
  if (transaction.operation !== 'transfer' || index % 6 !== 0) return transaction;
  return { ...transaction, payeeAccount: '00219300123456789099', isFraud: index % 18 !== 0 };
}

const read = (transactions: readonly Transaction[], rules: readonly PlacedRule[] | null) =>
  readFeatures(readerOf(transactions, 700), {
    ...{ catalogue: null, rules: rules === null ? null : { ...NO_RULES, placed: rules, detectors: names } },
    ...{ memoryLimitBytes: 1e9, onProgress: () => undefined },
    openStore: () => {
      throw new Error('not needed');
    },
  });
const train = (given: FileFeatures) =>
  trainModel({
    ...{ features: given, detectors: detectorChoices('isolation-forest', known), labelDelayMs: LABEL_DELAY_MS },
    ...{ maxTrainingRows: 100_000, thresholds: { by: 'share', reviewShare: 0.01 }, costs: DEFAULT_COSTS, seed: 1 },
    onProgress: () => undefined,
  });
const storedOf = ({ model, decide }: TrainedModel): StoredModel => ({
  ...{ id: 'together@1', model },
  description: {
    ...{ createdAt: '', utcOffsetMinutes: -300, reviewAtRisk: decide.reviewAtRisk, metrics: {} },
    trainedOn: { rows: 0, fromMs: 0, toMs: 0, seed: 1 },
  },
});
async function score(model: StoredModel, rules: readonly PlacedRule[] | null, batchSize = 400, learn = false) {
  const evaluated = rules === null ? null : { ...NO_RULES, placed: rules, detectors: names };
  const decisions: Decision[] = [];
  const reader = readerOf(history, batchSize);
  for await (const some of scoreFile({ reader, stored: model, rules: evaluated, learn })) decisions.push(...some);
  return decisions;
}

beforeAll(async () => {
  history = simulate(130, 20, 3).map(withMoreFrauds);
  expect(isAbsolute(BUILT_IN_RULES)).toBe(true);
  placed = (await readPlacedRules(BUILT_IN_RULES)).rules;
  features = await read(history, placed);
  trained = train(features);
  stored = storedOf(trained);
});

describe('a model that was trained with rules', () => {
  it('knows what each of them adds, and ranks later time better for it', () => {
    const { model, metrics } = trained;
    expect(model.stacking).not.toBe(null);
    const live = placed.filter(({ rule }) => rule.mode === 'live').map(({ rule }) => ruleVersion(rule));
    expect(Object.keys(model.ruleEvidence!).sort()).toEqual(live.sort());
    const learnt = placed.filter(
      ({ rule }) =>
        rule.mode === 'live' &&
        model.ruleEvidence![ruleVersion(rule)].toFixed(9) !== EXPECTED[rule.severity].toFixed(9),
    );
    expect(learnt.length).toBeGreaterThan(10);
    expect(metrics.averagePrecision!).toBeGreaterThan(metrics.averagePrecisionWithoutRules!);
    expect(metrics.policy!.flaggedPerDay).toBeGreaterThan(0);
  });

  it('decides by the risk of both, and tells its own', async () => {
    const decisions = await score(stored, placed);
    const withRules = decisions.filter(({ rules }) => rules.length > 0);
    expect(withRules.length).toBeGreaterThan(20);
    for (const { risk, modelRisk, rules } of decisions) {
      const doubt = rules.reduce((left, rule) => left * (1 - stored.model.ruleEvidence![rule]), 1);
      expect(risk).toBe(combinedRisk(modelRisk, doubt));
    }
    const actions = new Set(withRules.map(({ action }) => action));
    expect(actions.has('challenge') && actions.has('hold')).toBe(true);
    const byRules = withRules.filter(({ by }) => by === 'rules');
    for (const { rules, reasons } of byRules) {
      const codes = rules.map((said) => placed.find(({ rule }) => ruleVersion(rule) === said)!.rule.reason);
      expect(codes).toContain(reasons[0].code);
    }
    expect(byRules.length).toBeGreaterThan(10);
  });

  it('decides the same bits in batches of any size, with and without learning, and in a replay', async () => {
    const decisions = await score(stored, placed);
    expect(await score(stored, placed, 97)).toEqual(decisions);
    expect(await score(stored, placed, 1000, true)).toEqual(decisions);
    const thresholds = { reviewAtRisk: stored.description.reviewAtRisk, holdAtRisk: 0.8 };
    const spec = { rules: placed, model: stored, policy: { thresholds, control: null, severest: null }, overrides: [] };
    const built = buildVersions([spec], readerOf(history, 400), null, new Map());
    const replayed: unknown[] = [];
    await passHistory(
      readerOf(history, 400),
      built,
      ALL_HISTORY,
      ({ decided: [{ transaction, verdict }] }) => {
        const { action, risk, modelRisk, hits } = verdict;
        replayed.push([transaction.id, action, risk, modelRisk, hits.map(({ rule }) => rule)]);
      },
      () => undefined,
    );
    expect(replayed).toEqual(
      decisions.map(({ transaction, action, risk, modelRisk, rules }) => [
        transaction.id,
        action,
        risk,
        modelRisk,
        rules,
      ]),
    );
    const { version } = built.deciders[0];
    const header = { version, modelId: stored.id, definitions: built.definitions, range: ALL_HISTORY };
    expect(JSON.parse(headerLine(header)).ruleEvidence).toEqual(stored.model.ruleEvidence);
  });

  it('decides alone where there are no rules, and was the same model before', async () => {
    const without = train(await read(history, null));
    expect(without.model.ruleEvidence).toBe(null);
    expect(without.metrics.averagePrecisionWithoutRules).toBe(null);
    expect(without.metrics.averagePrecision).toBe(trained.metrics.averagePrecisionWithoutRules);
    const decisions = await score(storedOf(without), null);
    expect(decisions.every(({ risk, modelRisk, rules }) => risk === modelRisk && rules.length === 0)).toBe(true);
  });
});

describe('without labels', () => {
  it('a rule that fires makes a transaction rarer, never more ordinary, and the others stay what they were', async () => {
    const unlabelled = history.map((transaction) => ({ ...transaction, isFraud: null }));
    const model = train(await read(unlabelled, placed));
    expect(model.model.ruleEvidence).toBe(null);
    const decisions = await score(storedOf(model), placed);
    const high = new Set(
      placed.filter(({ rule }) => ['high', 'critical'].includes(rule.severity)).map(({ rule }) => ruleVersion(rule)),
    );
    let severe = 0;
    for (const { risk, modelRisk, rules } of decisions) {
      if (rules.length === 0) expect(risk).toBe(modelRisk);
      else expect(risk).toBeGreaterThan(modelRisk);
      if (!rules.some((rule) => high.has(rule))) continue;
      severe += 1;
      expect(risk).toBeGreaterThan(0.996);
    }
    expect(severe).toBeGreaterThan(20);
  });
});

describe('in the ranking of a file', () => {
  const perform = createTaskPerformer(known);
  /** The other thread's work, done here. */
  const here: SecondThread = {
    perform: async (task) => perform(task) as never,
    stop: async () => undefined,
  };
  let segments: readonly Segment[];

  beforeAll(async () => {
    const fitted = await fitSegments(
      features.table,
      {
        ...{ definitions: features.definitions, known, detectors: 'gbdt,isolation-forest' },
        ...{ unsupervised: 'isolation-forest', labelDelayMs: LABEL_DELAY_MS, maxRows: 100_000, seed: 1 },
      },
      here,
    );
    segments = learnEvidence(features.table, fitted, features.rules!, LABEL_DELAY_MS);
  });

  it('each segment knows of the rules only what was known before it began', async () => {
    expect(segments).toHaveLength(3);
    const [first, second, third] = segments.map(({ model }) => model.ruleEvidence);
    expect(first).toBe(null);
    expect(second).not.toEqual(third);
    const untilMs = segments[1].fromMs - LABEL_DELAY_MS;
    const labels = features.table.labels.slice();
    const { table } = features;
    const changed = {
      ...{ rows: table.rows, timesMs: table.timesMs, take: (rows: Uint32Array) => table.take(rows) },
      labels: labels.map((label, row) => (table.timesMs[row] >= untilMs ? 1 - label : label)),
    };
    const [, again, other] = learnEvidence(changed, segments, features.rules!, LABEL_DELAY_MS);
    expect(again.model.ruleEvidence).toEqual(second);
    expect(other.model.ruleEvidence).not.toEqual(third);
  });

  it('rows go up with their rules, by the risk that decides them', async () => {
    const { table, rules } = features;
    const alone = await scoreTable(table, segments, here, () => undefined);
    const scores = withRules(table, alone, rules!);
    expect(scores.movedByRules).toBe(true);
    expect(scores.modelRisk).toEqual(alone.risk);
    const thresholds = { reviewAtRisk: 0, holdAtRisk: 0.8 };
    const verdictOf = verdictsOf(table, scores, rules, thresholds);
    for (let row = 0; row < table.rows; row++) {
      const { risk, hits } = verdictOf(row);
      expect(risk).toBe(scores.risk[row]);
      if (hits.length > 0) expect(scores.risk[row]).toBeGreaterThan(alone.risk[row]);
      else expect(scores.risk[row]).toBe(alone.risk[row]);
    }
  });
});

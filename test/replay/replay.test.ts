// Replay over simulated history, with the default rules and a stored model.
import { beforeAll, describe, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { candidateRules, readPlacedRules } from '../../src/cli/rule-files.ts';
import { DEFAULT_GOVERNOR } from '../../src/decisions/governor.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import { REASON_CODES } from '../../src/decisions/reason-codes.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { definitionsFor } from '../../src/features/catalogue/choose.ts';
import { createFeatureEngine, restoreFeatureEngine } from '../../src/features/engine.ts';
import { engineLimits } from '../../src/jobs/read-features.ts';
import { decisionLine } from '../../src/jobs/replay/decision-log.ts';
import { ALL_HISTORY } from '../../src/jobs/replay/history.ts';
import { type ReplayOptions, replay } from '../../src/jobs/replay/replay.ts';
import { suggestRules } from '../../src/jobs/replay/suggest-rules.ts';
import { buildVersions, type VersionSpec } from '../../src/jobs/replay/versions.ts';
import { emptyRuleLists } from '../../src/jobs/rules/rule-lists.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { createDecider, foldBatch } from '../../src/pipeline/decide-transactions.ts';
import { loadModel, thresholdsOf } from '../../src/registry/model-store.ts';
import { renderReplayReport } from '../../src/report/replay/render-replay-report.ts';
import { type PlacedRule, readRules } from '../../src/rules/read-rules.ts';
import { writeRules } from '../../src/rules/write-rules.ts';
import { readerOf, simulate } from './simulated-reader.ts';

const MODELS = new URL('../registry/stored-by-0.1.0/', import.meta.url);
const REASONS = new Set(Object.keys(REASON_CODES));
const LISTS = emptyRuleLists(STANDARD_LISTS);
const CANDIDATE = `
rules:
  - id: large-transfer
    version: 1
    name: { es: Transferencia grande, en: Large transfer }
    owner: pruebas
    severity: high
    reason: MONTO_FUERA_DE_PERFIL
    action: hold
    mode: shadow
    when: operation = 'transfer' and amount > 2000
`;

let history: Transaction[];
let live: VersionSpec;
let candidate: VersionSpec;

beforeAll(async () => {
  history = simulate(120, 25, 5);
  const { rules } = await readPlacedRules('config/rules');
  const model = await loadModel(
    createFolderObjectStore(MODELS.pathname),
    'cards',
    knownDetectors(createGraphRuntime()),
  );
  const policy = { thresholds: thresholdsOf(model.description), control: null, severest: null };
  live = { rules, overrides: [], model, policy };
  candidate = { ...live, rules: candidateRules(rules, { isFolder: false, rules: placedRules(CANDIDATE) }) };
});

function placedRules(text: string): readonly PlacedRule[] {
  const { rules, problems } = readRules(text, 'candidate.yaml', REASONS);
  expect(problems).toEqual([]);
  return rules;
}

function run(more: Partial<ReplayOptions> = {}, batchSize = 500) {
  return replay({
    ...{ reader: readerOf(history, batchSize), live, candidate, lists: LISTS, catalogue: null, range: ALL_HISTORY },
    ...{ costs: DEFAULT_COSTS, unit: 'customer', seed: 1, governor: DEFAULT_GOVERNOR, writeLines: null },
    ...{ verifyLines: null, onProgress: () => undefined, ...more },
  });
}

async function decisionsWritten(batchSize: number): Promise<string[]> {
  const lines: string[] = [];
  await run({ writeLines: async (more) => void lines.push(...more) }, batchSize);
  return lines;
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

describe('decisions that are taken again', () => {
  it('are identical bit for bit in batches of another size', async () => {
    const lines = await decisionsWritten(1000);
    expect(lines).toHaveLength(history.length + 1);
    expect(await decisionsWritten(7)).toEqual(lines);
    const { verification } = await run({ verifyLines: linesOf(lines) }, 333);
    expect(verification).toEqual({
      ...{ identical: history.length, different: 0, onlyInFile: 0, onlyInLog: 0, firstDifferences: [] },
    });
  });

  it('are identical after a restart from a checkpoint', async () => {
    // Labels are another stream's; here each would be beside its transaction.
    const unlabelled = history.map((transaction) => ({ ...transaction, isFraud: null }));
    const lines: string[] = [];
    await run({
      reader: readerOf(unlabelled, 400),
      writeLines: async (more) => void lines.push(...more),
    });
    const { definitions, deciders } = buildVersions([candidate], readerOf(unlabelled, 400), null, LISTS);
    const engine = createFeatureEngine(definitions, engineLimits(readerOf(unlabelled, 400)));
    const half = unlabelled.length >>> 1;
    const before = foldBatch(unlabelled.slice(0, half), engine);
    const restored = restoreFeatureEngine(definitions, engine.checkpoint());
    const after = foldBatch(unlabelled.slice(half), restored);
    const again = createDecider(deciders[0].version, definitions);
    const taken = [before, after].flatMap((batch) => {
      const decide = again.open(batch);
      return batch.transactions.map((_, row) => decisionLine(decide(row), definitions.length));
    });
    expect(taken).toEqual(lines.slice(1));
  });

  it('tell what differs, and refuse a log of other versions', async () => {
    const lines = await decisionsWritten(500);
    const changed = lines.map((line, index) => (index === 3 ? line.replace('"by":"', '"by":"nobody, not ') : line));
    const { verification } = await run({ verifyLines: linesOf([...changed, lines[1]]) });
    expect(verification).toMatchObject({ identical: history.length - 1, different: 1, onlyInLog: 1 });
    expect(verification?.firstDifferences).toEqual([{ id: history[2].id, fields: ['by'] }]);
    await expect(run({ verifyLines: linesOf(lines), candidate: live })).rejects.toThrow(/rules differ/);
    const overrides = [{ ruleId: 'x', field: 'payerId', value: 'C1', untilMs: 1, reason: 'prueba' } as const];
    const overridden = { verifyLines: linesOf(lines), candidate: { ...candidate, overrides } };
    await expect(run(overridden)).rejects.toThrow(/overrides differ/);
    await expect(run({ verifyLines: linesOf(['x']) })).rejects.toThrow(/do not begin/);
  });

  it('are the same when features that nobody reads are computed beside', async () => {
    const reader = readerOf(history, 500);
    const few = buildVersions([candidate], reader, null, LISTS);
    const all = definitionsFor('default', reader.fieldsPresent);
    const many = buildVersions([candidate], reader, null, LISTS, all);
    expect(many.definitions.length).toBeGreaterThan(few.definitions.length);
    const verdicts = [few, many].map(({ engine, deciders }) => {
      const decide = deciders[0].open(foldBatch(history, engine));
      return history.map((_, row) => decide(row).verdict);
    });
    expect(verdicts[1]).toEqual(verdicts[0]);
  });
});

describe('a replay', () => {
  it('adds up: what it compares is what its decisions say', async () => {
    const lines: string[] = [];
    // The stored model learned from other data and flags nearly everything here: rules alone.
    const alone = (spec: VersionSpec): VersionSpec => {
      const thresholds = { reviewAtRisk: 1, holdAtRisk: 1 };
      return { ...spec, model: null, policy: { ...spec.policy, thresholds } };
    };
    const versions = { live: alone(live), candidate: alone(candidate) };
    const done = await run({ ...versions, writeLines: async (more) => void lines.push(...more) });
    const actions = lines.slice(1).map((line) => (JSON.parse(line) as { action: string }).action);
    const alerts = actions.filter((action) => action !== 'approve').length;
    const caught = history.filter(({ isFraud }, row) => isFraud === true && actions[row] !== 'approve').length;
    const { comparison, changes, rules } = done;
    expect(comparison.transactions).toBe(history.length);
    expect(comparison.candidate.alerts.value).toBe(alerts);
    expect(comparison.candidate.caughtFrauds.value).toBe(caught);
    const { live: before, candidate: after, difference } = comparison;
    expect(difference.costMinor.value).toBeCloseTo(after.costMinor.value - before.costMinor.value);
    expect(before.caughtMinor.value + before.missedMinor.value).toBe(comparison.fraudMinor);
    const appear = changes.filter(({ change }) => change === 'appears').reduce((sum, { count }) => sum + count, 0);
    const disappear = changes
      .filter(({ change }) => change === 'disappears')
      .reduce((sum, { count }) => sum + count, 0);
    expect(appear).toBeGreaterThan(0);
    expect(appear - disappear).toBe(difference.alerts.value);
    // One rule is new: the whole difference in cost is what it saves.
    const [added] = rules.filter(({ change }) => change === 'new');
    expect(added.record.rule).toBe('large-transfer@1');
    expect(added.record.savedMinor).toBeCloseTo(-difference.costMinor.value);
    const [example] = changes.flatMap(({ change, examples }) => (change === 'appears' ? examples : []));
    expect(example.rules).toContain('large-transfer@1');
    expect(example.values.map(({ name }) => name)).toContain('amount');
  });

  it('finds no difference between a version and itself', async () => {
    const { comparison, changes, rules } = await run({ candidate: live });
    expect(Object.values(comparison.difference).every(({ value }) => value === 0 || Number.isNaN(value))).toBe(true);
    expect(changes.every(({ count }) => count === 0)).toBe(true);
    expect(rules.every(({ change }) => change === 'same')).toBe(true);
  });

  it('counts only its days, with features from the beginning', async () => {
    const middleMs = history[history.length >>> 1].eventTimeMs;
    const [, ...all] = await decisionsWritten(500);
    const lines: string[] = [];
    const range = { fromMs: middleMs, untilMs: middleMs + 86_400_000 };
    await run({ range, writeLines: async (more) => void lines.push(...more) });
    const inRange = all.filter((_, row) => {
      const { eventTimeMs } = history[row];
      return eventTimeMs >= range.fromMs && eventTimeMs < range.untilMs;
    });
    expect(inRange.length).toBeGreaterThan(0);
    expect(lines.slice(1)).toEqual(inRange);
  });

  it('says which rules are wrong, with their places', async () => {
    const wrong = placedRules(CANDIDATE.replace('amount', 'amuont'));
    await expect(run({ candidate: { ...live, rules: wrong } })).rejects.toThrow(/candidate\.yaml:11:\d+.*amuont/);
  });

  it('makes a page in both languages that escapes what comes from the file', async () => {
    const done = await run();
    const page = renderReplayReport(
      done,
      {
        ...{ fileName: '<b>x</b>.csv', liveName: 'config/rules', candidateName: 'c.yaml', analysts: 2 },
        ...{ costs: DEFAULT_COSTS, unit: 'day', seed: 1, seconds: 1, memoryMb: 100, version: '0', createdMs: 0 },
        utcOffsetMinutes: -300,
      },
      'es',
    );
    expect(page).toContain('&lt;b&gt;x&lt;/b&gt;.csv');
    expect(page).not.toContain('<b>x</b>');
    expect(page).toContain('Good customers touched');
    expect(page).toContain('Clientes buenos afectados');
    expect(page).not.toMatch(/undefined|\[object|>NaN/);
  });
});

describe('suggested rules', () => {
  it('finds a planted pattern, holds it on the later part, and writes a file that reads as the same rules', async () => {
    // Frauds of one kind that no rule looks for: purchases of exactly this size from an old phone line.
    const planted = history
      .filter(({ isFraud }) => isFraud === false)
      .map((transaction, row) =>
        row % 40 === 0
          ? {
              ...transaction,
              isFraud: true,
              amountMinor: 77_700,
              operation: 'top-up' as const,
              channel: 'ussd' as const,
            }
          : transaction,
      );
    const options = {
      ...{ open: async () => readerOf(planted, 500), live: { ...live, rules: [], model: null }, lists: LISTS },
      catalogue: null,
      ...{ costs: DEFAULT_COSTS, earlierShare: 0.6, most: 3, minPrecision: 0.2, minFrauds: 5, seed: 1 },
      onProgress: () => undefined,
    };
    const suggestions = await suggestRules(options);
    const [best] = suggestions.kept;
    expect(best.recall).toBeGreaterThan(0.95);
    expect(best.later.precision).toBeGreaterThan(0.9);
    expect(best.later.savedMinor).toBeGreaterThan(0);
    const rules = suggestions.kept.map(({ rule }) => rule);
    expect(rules.every(({ mode }) => mode === 'shadow')).toBe(true);
    const read = readRules(writeRules(rules, ['mined']), 'suggested.yaml', REASONS);
    expect(read.problems).toEqual([]);
    expect(
      writeRules(
        read.rules.map(({ rule }) => rule),
        ['mined'],
      ),
    ).toBe(writeRules(rules, ['mined']));
    expect(await suggestRules(options)).toEqual(suggestions);
  });
});

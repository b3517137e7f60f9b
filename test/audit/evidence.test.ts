// Evidence of simulated transactions, decided by a trained model and the built-in rules in batches, as the stream does it.
import { beforeAll, describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import type { RiskModel } from '../../src/decisions/risk-model.ts';
import { decide, type RuleOverride, type VerdictPolicy } from '../../src/decisions/verdict.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { createFeatureEngine } from '../../src/features/engine.ts';
import { readFeatures } from '../../src/jobs/read-features.ts';
import { readRuleFile } from '../../src/jobs/rules/check-rules.ts';
import { ruleLists } from '../../src/jobs/rules/rule-lists.ts';
import { NO_RULES, rulesOverFeatures } from '../../src/jobs/rules/rules-over-features.ts';
import { trainModel } from '../../src/jobs/train.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { createDecider, type DecisionVersion, foldBatch } from '../../src/pipeline/decide-transactions.ts';
import { numbersOfBytes } from '../../src/pipeline/evidence/bits.ts';
import {
  buildEvidence,
  type Evidence,
  type KeptEvidence,
  namedFeatures,
  openingOf,
  readEvidence,
  readOpening,
} from '../../src/pipeline/evidence/evidence.ts';
import { modelHash } from '../../src/pipeline/evidence/model-hash.ts';
import { type LoadedVersion, reexecute } from '../../src/pipeline/evidence/reexecute.ts';
import { explainRow, REASONS } from '../../src/pipeline/explain-decision.ts';
import { loadModel, saveModel } from '../../src/registry/model-store.ts';
import type { PlacedRule } from '../../src/rules/read-rules.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
import { readerOf, simulate } from '../replay/simulated-reader.ts';

const COUNT = 2000;
const BATCH = 64;
const WORDING = { referenceCurrency: 'PEN' };
const MULE = '00219300123456789099';
const [BLOCKED] = STANDARD_LISTS;
const listEntry = (value: string) => ({ value, reason: 'caso', source: 'Ana', fromMs: 0, untilMs: null });
const LISTS = ruleLists([{ definition: BLOCKED, entries: [listEntry('191-1'), listEntry(MULE)] }]);
const LISTED_RULE = `rules:
  - { id: to-a-mule, version: 1, owner: f, severity: high, reason: HORA_INUSUAL, name: { es: a, en: b }, action: hold,
      when: 'amount > 50 and payeeAccount in @${BLOCKED.name}' }`;
const known = knownDetectors(createGraphRuntime());
const models = createMemoryStore();

let placed: readonly PlacedRule[];
let transactions: Transaction[];
let definitions: LoadedVersion['definitions'];
let kept: KeptEvidence[];
let plains: Uint8Array[];
let modelSha256: string;
let version: DecisionVersion;

function rulesOver(rules: readonly PlacedRule[], model: RiskModel) {
  const evaluated = { ...NO_RULES, placed: rules, lists: LISTS, detectors: known.map(({ name }) => name) };
  return rulesOverFeatures(evaluated, { definitions, scored: model.parts.map(({ detector }) => detector.name) });
}

async function trained(history: readonly Transaction[]): Promise<RiskModel> {
  const features = await readFeatures(readerOf(history, 700), {
    ...{ catalogue: null, rules: { ...NO_RULES, placed, lists: LISTS, detectors: known.map(({ name }) => name) } },
    ...{ memoryLimitBytes: 1e9, onProgress: () => undefined },
    openStore: () => {
      throw new Error('not needed');
    },
  });
  ({ definitions } = features);
  const { model } = trainModel({
    ...{ features, detectors: detectorChoices('gbdt,isolation-forest', known), labelDelayMs: 86_400_000 },
    ...{ maxTrainingRows: 100_000, thresholds: { by: 'share', reviewShare: 0.01 }, costs: DEFAULT_COSTS, seed: 1 },
    onProgress: () => undefined,
  });
  return model;
}

/** What a partition does, with a governor that now and then limits it and a detector that now and then is left out. */
function decideAll(): void {
  const engine = createFeatureEngine(definitions);
  const decider = createDecider(version, definitions);
  kept = [];
  plains = [];
  for (let from = 0; from < COUNT; from += BATCH) {
    const batch = foldBatch(transactions.slice(from, Math.min(COUNT, from + BATCH)), engine);
    const number = from / BATCH;
    const leftOut = number % 5 === 4 ? ['isolation-forest'] : number % 7 === 6 ? [REASONS] : [];
    const severest: VerdictPolicy['severest'] = number % 3 === 2 ? 'review' : null;
    const open = decider.open(batch, { leftOut, ask: (_, score) => score() });
    for (let index = 0; index < batch.transactions.length; index++) {
      const decided = open(index);
      const verdict = severest === null ? decided.verdict : decide(decided.given, { ...version.policy, severest });
      const row = { ...decided, verdict };
      const { plain, sha256 } = openingOf(row.transaction, new Uint8Array(16).fill(index));
      plains.push(plain);
      kept.push(
        buildEvidence({
          ...{ program: 'test', decidedMs: 0, row, batch, index, version, definitions, severest, leftOut },
          decision: explainRow(row, batch, index, decider, WORDING, 'quick', leftOut),
          model: { id: 'evidence@1', sha256: modelSha256 },
          ...{ wording: WORDING, at: { partition: 0, offset: from + index } },
          transaction: { form: 'sealed', value: Buffer.from(plain).toString('base64'), sha256 },
          auditHead: null,
        }),
      );
    }
  }
}

beforeAll(async () => {
  const { rules: own } = readRuleFile({ path: 'own.yaml', text: LISTED_RULE });
  placed = [...(await readPlacedRules(BUILT_IN_RULES)).rules, ...own];
  const all = simulate(130, 24, 3).map((transaction, index) =>
    transaction.operation === 'transfer' && index % 6 === 0
      ? { ...transaction, payeeAccount: MULE, isFraud: index % 18 !== 0 }
      : transaction,
  );
  transactions = all.slice(-COUNT);
  const description = {
    ...{ createdAt: '', utcOffsetMinutes: -300, reviewAtRisk: 0.05, metrics: {} },
    trainedOn: { rows: 0, fromMs: 0, toMs: 0, seed: 1 },
  };
  await saveModel(models, 'evidence', await trained(all.slice(0, -COUNT)), description);
  modelSha256 = (await modelHash(models, 'evidence@1'))!;
  const { model } = await loadModel(models, 'evidence@1', known);
  const payers = new Set(transactions.slice(0, 400).map(({ payerId }) => payerId!));
  const overrides: RuleOverride[] = placed.flatMap(({ rule }) =>
    [...payers].map((value) => ({ ruleId: rule.id, field: 'payerId', value, untilMs: 8e15, reason: 'looked at' })),
  );
  const thresholds = { reviewAtRisk: 0.05, holdAtRisk: 0.8 };
  const control = { share: 0.1, maxAmountMinor: 1e9, seed: 7 };
  const policy = { thresholds, control, severest: null };
  version = { rules: rulesOver(placed, model), model, policy, overrides };
  decideAll();
});

async function loaded(change: Partial<LoadedVersion> = {}): Promise<LoadedVersion> {
  // Loaded anew, not what decided: the stored model and the rules' texts are what counts.
  const { model } = await loadModel(models, 'evidence@1', known);
  return { rules: rulesOver(placed, model), model, definitions, modelSha256, ...change };
}

const open = (number: number): readonly [Evidence, Transaction] => {
  const evidence = readEvidence(kept[number].bytes, kept[number].sha256);
  if (evidence.transaction.form !== 'sealed') throw new Error('it is sealed');
  const plain = new Uint8Array(Buffer.from(evidence.transaction.value, 'base64'));
  return [evidence, readOpening(plain, evidence.transaction.sha256)];
};

describe('evidence of decisions', () => {
  it('re-executes every one to the same bits, with what was left out, silenced, drawn and limited', async () => {
    const again = await loaded();
    const seen = { by: new Set<string>(), silenced: 0, reasons: 0, leftOut: 0, nan: 0 };
    for (let number = 0; number < COUNT; number++) {
      const [evidence, transaction] = open(number);
      expect(await reexecute(evidence, transaction, async () => again)).toEqual({ isSame: true, difference: null });
      seen.by.add(evidence.verdict.by);
      seen.silenced += Number(evidence.rules.fired.some(({ silence }) => silence === 'override'));
      seen.reasons += Number(evidence.reasons.length > 0);
      seen.leftOut += Number(evidence.leftOut.includes('isolation-forest'));
      seen.nan += Number(numbersOfBytes(evidence.features.values).some(Number.isNaN));
    }
    for (const by of ['model', 'rules', 'governor', 'control-group']) expect(seen.by).toContain(by);
    for (const count of [seen.silenced, seen.reasons, seen.leftOut, seen.nan]) expect(count).toBeGreaterThan(10);
  });

  it('names the entry of a list that a rule found, by its place', () => {
    let listed = 0;
    for (let number = 0; number < COUNT; number++) {
      const [{ rules }, { payeeAccount }] = open(number);
      const found = rules.fired.flatMap((hit) => hit.listed ?? []);
      const isListed = rules.fired.some(({ rule }) => rule === 'to-a-mule@1');
      expect(found).toEqual(isListed ? [{ list: BLOCKED.name, entry: 1 }] : []);
      expect(isListed && payeeAccount !== MULE).toBe(false);
      listed += Number(isListed);
    }
    expect(listed).toBeGreaterThan(10);
  });

  it('tells another model, other rules and another catalogue before deciding', async () => {
    const [evidence, transaction] = open(0);
    const differs = async (change: Partial<LoadedVersion>) =>
      (await reexecute(evidence, transaction, () => loaded(change))).difference?.what;
    expect(await differs({ modelSha256: 'f'.repeat(64) })).toBe('model.sha256');
    const rule = { ...placed[0].rule, action: 'decline' as const, severity: 'low' as const };
    const rules = rulesOver([{ ...placed[0], rule }, ...placed.slice(1)], version.model!);
    expect(await differs({ rules })).toBe('rules.sha256');
    expect(await differs({ definitions: definitions.slice(1) })).toBe('features.catalogueSha256');
  });

  it('tells a model that is another one though it bears the same name and hash', async () => {
    const model = { ...version.model!, stacking: { ...version.model!.stacking!, bias: 0.25 } };
    const flagged = kept.findIndex((_, number) => open(number)[0].verdict.action !== 'approve');
    const [evidence, transaction] = open(flagged);
    const { difference } = await reexecute(evidence, transaction, () => loaded({ model }));
    expect(difference!.what).toMatch(/^verdict\./);
  });

  it('tells a changed bit of a feature that was looked at, and of anything that was decided', async () => {
    const again = await loaded();
    let told = 0;
    const [evidence, transaction] = open(kept.findIndex((_, number) => open(number)[0].reasons.length > 2));
    for (let column = 0; column < definitions.length; column++) {
      const bytes = Buffer.from(evidence.features.values, 'base64');
      // The sign: a smaller change may fall into the same leaf of every tree, and decides nothing.
      bytes[column * 8 + 7] ^= 0x80;
      const changed = { ...evidence, features: { ...evidence.features, values: bytes.toString('base64') } };
      told += Number(!(await reexecute(changed, transaction, async () => again)).isSame);
    }
    expect(told).toBeGreaterThan(10);
    const lowest = (bits: string) => bits.slice(0, -1) + (bits.endsWith('0') ? '1' : '0');
    const { verdict, scores } = evidence;
    const differs = async (changed: Evidence) => (await reexecute(changed, transaction, async () => again)).difference;
    const risk = lowest(verdict.riskBits);
    expect(await differs({ ...evidence, verdict: { ...verdict, riskBits: risk } })).toMatchObject({
      ...{ what: 'verdict.riskBits', recorded: risk, now: verdict.riskBits },
    });
    const [first, ...rest] = scores;
    const score = await differs({ ...evidence, scores: [{ ...first, bits: lowest(first.bits) }, ...rest] });
    expect(score?.what).toBe(`scores.${first.detector}`);
    const text = evidence.rules.fired[0]?.text;
    const fired = evidence.rules.fired.map((hit) => ({ ...hit, text: `${text} ` }));
    const rules = await differs({ ...evidence, rules: { ...evidence.rules, fired } });
    expect(rules?.what ?? 'rules.fired.0.text').toBe('rules.fired.0.text');
  });

  it('is refused where one bit of it was changed', () => {
    const { bytes, sha256 } = kept[5];
    for (let place = 0; place < bytes.length; place += 97) {
      const changed = bytes.slice();
      changed[place] ^= 1 << (place % 8);
      expect(() => readEvidence(changed, sha256)).toThrow('is not what was kept');
    }
    expect(() => readEvidence(new Uint8Array([123]), null)).toThrow('is no JSON');
    expect(() => readEvidence(Buffer.from('{"format":"centinela-evidence"}'), null)).toThrow('no evidence');
    const changed = plains[5].slice();
    changed[40] ^= 1;
    const [evidence] = open(5);
    const { transaction } = evidence;
    expect(() => readOpening(changed, transaction.form === 'sealed' ? transaction.sha256 : '')).toThrow('not the one');
  });

  it('names the features for people, and keeps nothing of the customer outside what is sealed', () => {
    const [evidence, transaction] = open(7);
    const named = namedFeatures(evidence, definitions);
    expect(named).toHaveLength(definitions.length);
    expect(named[0].id).toBe(definitions[0].id);
    const { transaction: _, overrides: __, ...rest } = evidence;
    const text = JSON.stringify(rest);
    const { payerName, payerDocument, payerAccount, payeeName, ipAddress } = transaction;
    for (const personal of [payerName, payerDocument, payerAccount, payeeName, ipAddress]) {
      if (personal !== null) expect(text).not.toContain(personal);
    }
  });
});

// Simulated transactions as rules see them: feature rows, the rules that fire, labels and look-alikes.
import { readdirSync, readFileSync } from 'node:fs';
import { qualityFindings } from '../src/decisions/data-quality.ts';
import { REASON_CODES } from '../src/decisions/reason-codes.ts';
import type { FiredRows } from '../src/decisions/rule-evidence.ts';
import { createRuleVocabulary, type RuleInput } from '../src/decisions/rule-names.ts';
import { REFERENCE_RATES_TO_PEN } from '../src/domain/exchange-rates.ts';
import { createTransaction, type Transaction } from '../src/domain/transaction.ts';
import { defaultCatalogue } from '../src/features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../src/features/engine.ts';
import { FeatureTable } from '../src/pipeline/feature-table.ts';
import { withLateLabels } from '../src/pipeline/late-labels.ts';
import { type PlacedRule, readRules } from '../src/rules/read-rules.ts';
import { compileRuleSet, type RuleSet } from '../src/rules/rule-set.ts';
import { createSimulator } from '../src/simulate/simulator.ts';

const FOLDER = new URL('../config/rules/', import.meta.url);

/** The rules of config/rules. */
export function readDefaultRules(): PlacedRule[] {
  const reasons = new Set(Object.keys(REASON_CODES));
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
    .sort()
    .flatMap((name) => [...readRules(readFileSync(new URL(name, FOLDER), 'utf8'), name, reasons).rules]);
}

export function compileRules(placed: readonly PlacedRule[]): RuleSet<RuleInput> {
  const { set, problems } = compileRuleSet(placed, createRuleVocabulary(defaultCatalogue, []));
  if (set === null) throw new Error(JSON.stringify(problems, null, 2));
  return set;
}

export interface SimulatedRows {
  readonly table: FeatureTable;
  readonly fired: FiredRows;
  /** 1 where the transaction is genuine and was made to look like a typology. */
  readonly lookAlikes: Uint8Array;
  /** What each transaction did. */
  readonly operations: readonly string[];
}

export interface SimulatedSize {
  readonly customers: number;
  readonly days: number;
  readonly seed: number;
}

export function simulateRows(set: RuleSet<RuleInput>, size: SimulatedSize): SimulatedRows {
  const lookAlikeIds = new Set<string>();
  const simulator = createSimulator({ ...size, onLookAlike: (id) => lookAlikeIds.add(id) });
  const engine = withLateLabels(createFeatureEngine(defaultCatalogue, { exchangeRates: REFERENCE_RATES_TO_PEN }));
  const table = new FeatureTable(defaultCatalogue.length, {
    memoryLimitBytes: 4e9,
    openStore: () => {
      throw new Error('rows do not fit in memory: simulate fewer');
    },
  });
  const input = emptyInput(set.rules.length);
  const starts: number[] = [0];
  const rules: number[] = [];
  const lookAlikes: number[] = [];
  const operations: string[] = [];
  // The table folds each row itself; the rules read it on its way.
  const fold: typeof engine.fold = (transaction, out, offset) => {
    const result = engine.fold(transaction, out, offset);
    Object.assign(input, { transaction, features: out, offset, findings: qualityFindings(transaction) });
    set.evaluate(input, transaction.eventTimeMs, input.fired);
    input.fired.forEach((fires, rule) => {
      if (fires === 1) rules.push(rule);
    });
    starts.push(rules.length);
    return result;
  };
  for (const batch of simulator.batches()) {
    for (const transaction of batch) {
      table.add({ ...engine, fold }, transaction);
      operations.push(transaction.operation);
      lookAlikes.push(lookAlikeIds.delete(transaction.id) ? 1 : 0);
    }
  }
  const fired = { starts: Uint32Array.from(starts), rules: Uint16Array.from(rules) };
  return { table, fired, lookAlikes: Uint8Array.from(lookAlikes), operations };
}

export function emptyInput(rules: number): RuleInput {
  const transaction: Transaction = createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' });
  return {
    ...{ transaction, features: new Float64Array(defaultCatalogue.length), offset: 0 },
    ...{ risk: Number.NaN, scores: new Float64Array(0), findings: [], fired: new Uint8Array(rules) },
  };
}

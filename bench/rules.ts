// What rules cost: the default catalogue's feature rows of a simulated file through 10 to 500 rules, the default ones and
// variations of them, beside json-rules-engine and a library of the Common Expression Language on the same rules.
//
// Peers have neither three-valued logic nor feature rows: the rules are written for them so that a missing value decides
// the same, and their facts are made before the clock starts. All three must agree on every rule and transaction.

import { qualityFindings } from '../src/decisions/data-quality.ts';
import type { RuleInput } from '../src/decisions/rule-names.ts';
import { createRuleVocabulary } from '../src/decisions/rule-names.ts';
import { REFERENCE_RATES_TO_PEN } from '../src/domain/exchange-rates.ts';
import { defaultCatalogue } from '../src/features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../src/features/engine.ts';
import { type Expression, walk } from '../src/rules/node.ts';
import type { PlacedRule } from '../src/rules/read-rules.ts';
import { compileRuleSet } from '../src/rules/rule-set.ts';
import { createSimulator } from '../src/simulate/simulator.ts';
import { celPeer, jsonRulesPeer, type PeerFacts } from './rules-peers.ts';
import { compileRules, emptyInput, readDefaultRules } from './rules-rows.ts';

const SIZES = [10, 30, 100, 200, 500] as const;
/** Beyond these sizes the peers would take minutes. */
const PEER_SIZES: readonly number[] = [30, 200];
const ROWS = 20_000;
const WARM_UP_ROWS = 40_000;
/** Rows are read again and again in groups that stay in the cache, as they are there when they have just been computed. */
const GROUP_ROWS = 100;
const PASSES = 20;
const CEL_ROWS = 2000;
const JSON_RULES_ROWS = 300;
const FACTORS = [0.9, 1.1, 0.8, 1.2, 0.7, 1.3, 0.6, 1.5, 0.5, 2];

type Rows = readonly RuleInput[];

export async function benchRules(): Promise<Record<string, number>> {
  const rows = simulatedRows();
  const simple = readDefaultRules().filter(({ rule }) => isPlain(rule.when));
  const figures: Record<string, number> = { rows: rows.length, firedPerTransaction: firedShare(rows) };
  for (const size of SIZES) {
    figures[`microseconds${size}Rules`] = medianMicroseconds(rows, variations(readDefaultRules(), size));
  }
  for (const size of PEER_SIZES) {
    const placed = variations(simple, size);
    figures[`microseconds${size}PlainRules`] = medianMicroseconds(rows, placed);
    Object.assign(figures, await comparePeers(rows, placed));
  }
  return figures;
}

/** Transactions of the second simulated month with their feature rows, evenly spread. */
function simulatedRows(): Rows {
  const engine = createFeatureEngine(defaultCatalogue, { exchangeRates: REFERENCE_RATES_TO_PEN });
  const rows: RuleInput[] = [];
  let seen = 0;
  for (const batch of createSimulator({ customers: 2000, days: 40, seed: 1 }).batches()) {
    for (const transaction of batch) {
      const features = new Float64Array(defaultCatalogue.length);
      engine.fold(transaction, features, 0);
      if (seen++ < WARM_UP_ROWS || seen % 4 > 0 || rows.length === ROWS) continue;
      rows.push({ ...emptyInput(0), transaction, features, findings: qualityFindings(transaction) });
    }
  }
  return rows;
}

/** So many rules: the given ones, then the same with other amounts and counts. */
function variations(placed: readonly PlacedRule[], size: number): PlacedRule[] {
  const varied: PlacedRule[] = [];
  for (let round = 0; varied.length < size; round++) {
    const factor = round === 0 ? 1 : FACTORS[(round - 1) % FACTORS.length];
    for (const each of placed) {
      const rule = {
        ...each.rule,
        id: `${each.rule.id}-${round}`,
        mode: 'live' as const,
        when: scaled(each.rule.when, factor),
      };
      const variation = { ...each, rule };
      // A scaled interval may be empty; such a variation is no rule.
      if (compileRuleSet([variation], createRuleVocabulary(defaultCatalogue, [])).set !== null) varied.push(variation);
    }
  }
  return varied.slice(0, size);
}

function scaled(node: Expression, factor: number): Expression {
  const scale = (child: Expression) => scaled(child, factor);
  switch (node.kind) {
    case 'number':
      return node.value > 31 ? { ...node, value: node.value * factor } : node;
    case 'not':
      return { ...node, operand: scale(node.operand) };
    case 'comparison':
      return { ...node, left: scale(node.left), right: scale(node.right) };
    case 'between':
      return { ...node, low: scale(node.low), high: scale(node.high) };
    case 'all':
    case 'any':
      return { ...node, operands: node.operands.map(scale) };
    default:
      return node;
  }
}

/** Without functions, arithmetic and tests for missing values, which json-rules-engine does not have. */
function isPlain(node: Expression): boolean {
  return [...walk(node)].every(
    ({ kind }) => !['call', 'arithmetic', 'negative', 'otherwise', 'list', 'known'].includes(kind),
  );
}

/** The median over groups and passes, per transaction; short spans, so that other programs on the machine show less. */
function medianMicroseconds(rows: Rows, placed: readonly PlacedRule[]): number {
  const set = compileRules(placed);
  const fired = new Uint8Array(set.rules.length);
  const inputs = rows.map((row) => ({ ...row, fired }));
  return medianOfGroups(inputs, (input) => set.evaluate(input, input.transaction.eventTimeMs, fired));
}

function medianOfGroups<T>(inputs: readonly T[], evaluate: (input: T) => unknown): number {
  const times: number[] = [];
  for (let from = 0; from + GROUP_ROWS <= inputs.length; from += GROUP_ROWS) {
    const group = inputs.slice(from, from + GROUP_ROWS);
    for (let pass = 0; pass < PASSES; pass++) {
      const started = performance.now();
      for (let row = 0; row < GROUP_ROWS; row++) {
        evaluate(group[row]);
      }
      // The first passes bring the group into the cache; the first groups let the compiler finish.
      if (pass >= 2 && from >= inputs.length / 4) times.push(((performance.now() - started) * 1000) / GROUP_ROWS);
    }
  }
  return medianOf(times);
}

async function comparePeers(rows: Rows, placed: readonly PlacedRule[]): Promise<Record<string, number>> {
  const vocabulary = createRuleVocabulary(defaultCatalogue, []);
  const set = compileRules(placed);
  const names = new Set(
    set.rules.flatMap(({ when }) => [...walk(when)].flatMap((node) => (node.kind === 'name' ? [node.name] : []))),
  );
  const factsOf = (row: RuleInput): PeerFacts => {
    const facts: PeerFacts = {};
    for (const name of names) facts[name] = vocabulary.names.get(name)!.read(row);
    return facts;
  };
  const figures: Record<string, number> = {};
  const size = placed.length;
  for (const [name, peer, count] of [
    ['cel', celPeer(set.rules), CEL_ROWS],
    ['jsonRulesEngine', jsonRulesPeer(set.rules), JSON_RULES_ROWS],
  ] as const) {
    const step = Math.floor(rows.length / count);
    const inputs = rows.filter((_, index) => index % step === 0);
    const facts = inputs.map(factsOf);
    const times: number[] = [];
    for (let row = 0; row < inputs.length; row++) {
      const started = performance.now();
      const theirs = await peer(facts[row]);
      if (row >= inputs.length / 4) times.push((performance.now() - started) * 1000);
      const fired = new Uint8Array(size);
      set.evaluate({ ...inputs[row], fired }, inputs[row].transaction.eventTimeMs, fired);
      for (const [rule, { id }] of set.rules.entries()) {
        if ((fired[rule] === 1) === theirs.has(rule)) continue;
        throw new Error(`${name} and Centinela do not agree on ${id}: ${JSON.stringify(facts[row])}`);
      }
    }
    // The other one answers with promises, which cannot be read in groups.
    figures[`${name}Microseconds${size}PlainRules`] = name === 'cel' ? medianOfGroups(facts, peer) : medianOf(times);
  }
  return figures;
}

function firedShare(rows: Rows): number {
  const set = compileRules(readDefaultRules());
  const fired = new Uint8Array(set.rules.length);
  const total = rows.reduce((sum, row) => sum + set.evaluate({ ...row, fired }, row.transaction.eventTimeMs, fired), 0);
  return total / rows.length;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

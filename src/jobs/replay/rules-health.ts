// The ledger of a rule set over labelled history: what each rule is worth, and what to do with it.
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { RuleLedger, type RuleRecord } from '../../decisions/worth/rule-ledger.ts';
import type { TransactionReader } from '../../ports.ts';
import type { RuleLists } from '../rules/rule-lists.ts';
import { customerOf, type HistoryRange, passHistory } from './history.ts';
import { buildVersions, type VersionSpec } from './versions.ts';

export interface RulesHealthOptions {
  readonly reader: TransactionReader;
  readonly version: VersionSpec;
  readonly lists: RuleLists;
  readonly catalogue: string | null;
  readonly range: HistoryRange;
  readonly costs: DecisionCosts;
  readonly seed: number;
  readonly onProgress: (share: number) => void;
}

export interface RulesHealth {
  readonly transactions: number;
  readonly frauds: number;
  readonly fraudMinor: number;
  readonly unlabelled: number;
  readonly periodMs: readonly [number, number] | null;
  /** By what the set saves by having them, the greatest first. */
  readonly records: readonly RuleRecord[];
}

export async function rulesHealth(options: RulesHealthOptions): Promise<RulesHealth> {
  const { reader, range, costs } = options;
  const built = buildVersions([options.version], reader, options.catalogue, options.lists);
  const { rules, policy } = built.deciders[0].version;
  const ledger = new RuleLedger(rules.rules, policy, costs);
  const counts = { transactions: 0, frauds: 0, fraudMinor: 0, unlabelled: 0 };
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  await passHistory(
    reader,
    built,
    range,
    ({ decided: [{ transaction, given, verdict }], inTime }) => {
      const { eventTimeMs: timeMs, isFraud: label } = transaction;
      if (inTime) {
        firstMs = Math.min(firstMs, timeMs);
        lastMs = Math.max(lastMs, timeMs);
      }
      counts.transactions += 1;
      if (label === null) counts.unlabelled += 1;
      if (label === true) {
        counts.frauds += 1;
        counts.fraudMinor += Number.isNaN(given.amountMinor) ? 0 : given.amountMinor;
      }
      ledger.add({ given, verdict, timeMs, inTime, customer: customerOf(transaction), label });
    },
    () => options.onProgress(reader.progress()),
  );
  const records = ledger.records(options.seed).sort((a, b) => b.savedMinor - a.savedMinor);
  return { ...counts, periodMs: firstMs <= lastMs ? [firstMs, lastMs] : null, records };
}

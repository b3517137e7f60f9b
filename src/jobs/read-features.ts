// Reads a file of transactions once and keeps the features of every row, and which rules fired on it.
import { REFERENCE_RATES_TO_PEN } from '../domain/exchange-rates.ts';
import { definitionsFor } from '../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../features/definition.ts';
import { createFeatureEngine } from '../features/engine.ts';
import type { ReasonWording } from '../pipeline/explain-decision.ts';
import { FeatureTable, type FeatureTableOptions } from '../pipeline/feature-table.ts';
import { type FeatureFold, withLateLabels } from '../pipeline/late-labels.ts';
import { type FiredRules, RuleWatch } from '../pipeline/rule-watch.ts';
import type { TransactionReader } from '../ports.ts';
import { type EvaluatedRules, rulesOverFeatures } from './rules/rules-over-features.ts';

export interface ReadFeaturesOptions extends FeatureTableOptions {
  /** Name of the feature catalogue; null for what the file's mapping asks for. */
  readonly catalogue: string | null;
  /** Evaluated on every row; none where not given. */
  readonly rules?: EvaluatedRules | null;
  readonly onProgress: (share: number) => void;
  /** Called with each batch, for what else a job wants of the rows. */
  readonly onBatch?: (batch: Parameters<FeatureFold['fold']>[0][], firstRow: number) => void;
}

export interface FileFeatures {
  readonly definitions: readonly FeatureDefinition[];
  readonly table: FeatureTable;
  readonly engine: FeatureFold;
  /** null where no rules were evaluated. */
  readonly rules: FiredRules | null;
}

/** Local hours as the file's, and soles where the currency is told row by row; one currency is left as it is. */
export function engineLimits({ mapping, utcOffsetMinutes }: TransactionReader) {
  const severalCurrencies = mapping.fields.get('currency')?.kind === 'column';
  return { utcOffsetMinutes, exchangeRates: severalCurrencies ? REFERENCE_RATES_TO_PEN : {} };
}

/** The features of the catalogue whose inputs the file has. */
export function fileDefinitions({ mapping, fieldsPresent }: TransactionReader, catalogue: string | null) {
  return definitionsFor(catalogue ?? mapping.catalogue ?? 'default', fieldsPresent);
}

/** How reasons over a file are worded: features of several currencies are in soles. */
export function reasonWording(reader: TransactionReader): ReasonWording {
  const inSoles = Object.keys(engineLimits(reader).exchangeRates).length > 0;
  return { utcOffsetMinutes: reader.utcOffsetMinutes, ...(inSoles && { referenceCurrency: 'PEN' }) };
}

export async function readFeatures(reader: TransactionReader, options: ReadFeaturesOptions): Promise<FileFeatures> {
  const definitions = fileDefinitions(reader, options.catalogue);
  const engine = withLateLabels(createFeatureEngine(definitions, engineLimits(reader)));
  const watch = options.rules == null ? null : watchRules(engine, definitions, options.rules);
  const table = new FeatureTable(definitions.length, options);
  for await (const batch of reader) {
    const firstRow = table.rows;
    for (const transaction of batch) table.add(watch ?? engine, transaction);
    options.onBatch?.(batch, firstRow);
    options.onProgress(reader.progress());
  }
  return { definitions, table, engine, rules: watch?.firedRules() ?? null };
}

/** @throws InputError RULES_INVALID */
export function watchRules(
  engine: FeatureFold,
  definitions: readonly FeatureDefinition[],
  rules: EvaluatedRules,
): RuleWatch {
  return new RuleWatch(engine, rulesOverFeatures(rules, { definitions, scored: null }));
}

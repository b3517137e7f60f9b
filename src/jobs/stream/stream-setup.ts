// From a model and rules to what a worker folds with: the features, the values' decoders, and what decides.
import { DEFAULT_GOVERNOR, type GovernorSettings } from '../../decisions/governor.ts';
import type { VerdictPolicy } from '../../decisions/verdict.ts';
import { REFERENCE_RATES_TO_PEN } from '../../domain/exchange-rates.ts';
import { catalogueNamed } from '../../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { EvidenceWish } from '../../pipeline/evidence/draft.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import { type PartitionSetup, partitionSetup, type VersionSource } from '../../pipeline/stream/versions.ts';
import type { StoredModel } from '../../registry/model-store.ts';
import type { EvaluatedRules } from '../rules/rules-over-features.ts';
import { type LiveSettings, liveVersions } from './live-versions.ts';

export interface StreamSetupOptions {
  readonly model: StoredModel | null;
  readonly rules: EvaluatedRules;
  /** Whose features are computed besides the model's, so that later rules and models find theirs; null for none. */
  readonly catalogue: string | null;
  readonly decoders: RecordDecoders;
  readonly loadModel: LiveSettings['loadModel'];
  readonly loadLists?: LiveSettings['loadLists'];
  readonly control?: VerdictPolicy['control'];
  readonly governor?: GovernorSettings;
  /** Ids that are remembered to know duplicates. */
  readonly maxIds?: number;
  /** Of which decisions evidence is made; left out: of none. */
  readonly evidence?: EvidenceWish;
}

export interface StreamSetup {
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
}

/** About a day of a partition with 50 transactions a second; 8–11 bytes each. */
export const DEFAULT_MAX_IDS = 4_000_000;

export function streamSetup(options: StreamSetupOptions): StreamSetup {
  const { model, rules, decoders, control = null, governor = DEFAULT_GOVERNOR, loadModel } = options;
  const { maxIds = DEFAULT_MAX_IDS, loadLists, evidence } = options;
  const definitions = definitionsOf(model, options.catalogue);
  const limits = { exchangeRates: REFERENCE_RATES_TO_PEN };
  const wording = { referenceCurrency: 'PEN' };
  return {
    setup: partitionSetup(definitions, limits, decoders, {
      ...{ governor, wording, maxIds },
      ...(evidence !== undefined && { evidence }),
    }),
    versions: liveVersions({ model, rules, control, loadModel, ...(loadLists !== undefined && { loadLists }) }),
  };
}

/** The model's own first: it learned from those. @param catalogue null for none besides */
export function definitionsOf(model: StoredModel | null, catalogue: string | null): FeatureDefinition[] {
  const ofModel = model?.model.definitions ?? [];
  const known = new Set(ofModel.map(({ id }) => id));
  const more = catalogue === null ? [] : catalogueNamed(catalogue).filter(({ id }) => !known.has(id));
  return [...ofModel, ...more];
}

// Decides the transactions of a file with a stored model and rules.
//
// The engine computes what the model reads, and what the rules read of the catalogue that suits the file. So rules that came
// after the model count, and rules over features that such a file does not have do not fire, as in training.

import { createFeatureEngine } from '../features/engine.ts';
import { isOnline } from '../models/detector.ts';
import { createDecider, foldBatch } from '../pipeline/decide-transactions.ts';
import { type Decision, decideAndLearn, decideBatch } from '../pipeline/explain-decision.ts';
import { withLateLabels } from '../pipeline/late-labels.ts';
import type { TransactionReader } from '../ports.ts';
import { type StoredModel, thresholdsOf } from '../registry/model-store.ts';
import { namesUsed } from '../rules/names-used.ts';
import { engineLimits, fileDefinitions, reasonWording } from './read-features.ts';
import { type EvaluatedRules, NO_RULES, rulesOverFeatures } from './rules/rules-over-features.ts';

export interface ScoreOptions {
  readonly reader: TransactionReader;
  readonly stored: StoredModel;
  readonly rules: EvaluatedRules | null;
  /** Detectors that learn online learn each row after it is decided. */
  readonly learn: boolean;
}

/** @throws InputError RULES_INVALID */
export async function* scoreFile({ reader, stored, rules, learn }: ScoreOptions): AsyncGenerator<Decision[]> {
  const { model, description } = stored;
  const asked = rules ?? NO_RULES;
  const used = namesUsed(asked.placed.map(({ rule }) => rule));
  const ofModel = new Set(model.definitions.map(({ id }) => id));
  const more = fileDefinitions(reader, null).filter(({ id }) => used.has(id) && !ofModel.has(id));
  const definitions = [...model.definitions, ...more];
  const set = rulesOverFeatures(asked, { definitions, scored: model.parts.map(({ detector }) => detector.name) });
  const policy = { thresholds: thresholdsOf(description), control: null, severest: null };
  const decider = createDecider({ rules: set, model, policy, overrides: asked.overrides }, definitions);
  const engine = withLateLabels(createFeatureEngine(definitions, engineLimits(reader)));
  const wording = reasonWording(reader);
  const decide = learn ? decideAndLearn : decideBatch;
  for await (const batch of reader) yield decide(foldBatch(batch, engine), decider, wording);
}

export function learnsOnline({ model }: StoredModel): boolean {
  return model.parts.some(({ detector }) => isOnline(detector));
}

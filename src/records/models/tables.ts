// The table of model changes, as Kysely sees it; what it is for is said in migrations/0011-model-changes.ts.

export const MODEL_CHANGE_STATES = ['proposed', 'approved', 'sent', 'refused', 'withdrawn'] as const;
export type ModelChangeState = (typeof MODEL_CHANGE_STATES)[number];

export interface ModelChangeTable {
  id: string;
  /** `name@version`; null: no model, rules alone. Where it is not changed, the one whose thresholds are. */
  model: string | null;
  /** false: thresholds alone are changed. */
  sets_model: boolean;
  /** In place of the model's own; null: its own. */
  review_at_risk: number | null;
  hold_at_risk: number | null;
  reason: string;
  /** `approved`: not yet on the stream's topic of changes; `sent`: there. */
  state: ModelChangeState;
  created_ms: number;
  by_kind: string;
  by_id: string;
  by_name: string;
  decided_ms: number | null;
  decided_by: string | null;
  decided_by_name: string | null;
  comment: string | null;
  sent_ms: number | null;
  version: number;
}

export interface ModelTables {
  model_changes: ModelChangeTable;
}

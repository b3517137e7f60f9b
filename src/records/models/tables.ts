// The table of model changes, as Kysely sees it; what it is for is said in migrations/0011-model-changes.ts.

export const MODEL_CHANGE_STATES = ['proposed', 'approved', 'sent', 'refused', 'withdrawn'] as const;
export type ModelChangeState = (typeof MODEL_CHANGE_STATES)[number];

export interface ModelChangeTable {
  id: string;
  /** `name@version`; null: no model, rules alone. */
  model: string | null;
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

// The table of replays, as Kysely sees it; what it is for is said in migrations/0009-replays.ts.
import type { ColumnType } from 'kysely';

type JsonText<Value> = ColumnType<Value, string, string>;

export const REPLAY_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/** The change, and over what. */
export interface ReplayRequest {
  /** Files of rules: they take the place of the live ones with their ids or join them, or are the whole set. */
  readonly rules: {
    readonly mode: 'join' | 'whole';
    readonly files: readonly { readonly path: string; readonly text: string }[];
  } | null;
  /** `name@version`, null for none; left out: the live one. */
  readonly model?: string | null;
  /** Of the candidate's model; null for its own. */
  readonly thresholds: { readonly reviewAtRisk: number; readonly holdAtRisk: number } | 'cost' | null;
  /** Event times that are counted, `[fromMs, untilMs)`; null for all that the log has. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  readonly bootstrap: 'customer' | 'day';
  readonly analysts: number;
  readonly seed: number;
}

export type ReplayResult = Readonly<Record<string, unknown>>;

export interface ReplayJobTable {
  id: string;
  name: string;
  state: ReplayState;
  request: JsonText<ReplayRequest>;
  /** 0–1. */
  progress: number;
  /** How often it was begun. */
  attempts: number;
  is_cancel_asked: boolean;
  /** The process that runs it. */
  runner: string | null;
  lease_ms: number | null;
  result: ColumnType<ReplayResult | null, string | null, string | null>;
  problem_code: string | null;
  problem: string | null;
  created_ms: number;
  started_ms: number | null;
  ended_ms: number | null;
  by_kind: string;
  by_id: string;
  by_name: string;
  version: number;
}

export interface ReplayTables {
  replay_jobs: ReplayJobTable;
}

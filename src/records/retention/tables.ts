// The tables of retention, as Kysely knows them (migrations/0012-retention.ts).

export interface RetentionTables {
  retention_turn: {
    id: number;
    /** The process that is at it. */
    holder: string;
    /** Until when nobody else begins; 0: anybody may. */
    until_ms: number;
    /** When nothing was left to do last. */
    done_ms: number | null;
  };
  objects_to_remove: {
    key: string;
    at_ms: number;
    /** When it was removed: kept as long as the row that named it, so that it is not asked for again. */
    gone_ms: number | null;
  };
}

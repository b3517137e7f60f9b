// The tables of retention, as Kysely knows them (migrations/0012-retention.ts, 0013-erased-texts.ts).

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
  orphaned_objects: {
    key: string;
    /** When it was seen first without a row. */
    seen_ms: number;
  };
  retention_folders: {
    folder: string;
    /** Where the look that is under way goes on; empty where none is. */
    after: string;
    /** When the oldest in it was made, of what was looked at; null where there was nothing. */
    oldest_ms: number | null;
  };
}

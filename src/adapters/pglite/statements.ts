// What can be told of a statement from its text: whether it writes, and whether it can be run again with the same result.

/** Functions and defaults whose value is another one when the redo log runs the statement again. */
const VOLATILE =
  /\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|random_normal|gen_random_uuid|uuidv4|uuidv7|nextval|setval|currval|lastval|txid_current|pg_current_xact_id|pg_backend_pid)\s*\(|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime|smallserial|serial|bigserial)\b|\bgenerated\b[^,]*\bas\s+identity\b/i;

const READS = /^\s*(?:select|with|values|table|show|declare|fetch|close|explain)\b/i;
const WRITES = /\b(?:insert|update|delete|merge|into|analyze)\b/i;

/** In doubt it writes: a statement that only reads does no harm in the redo log. */
export function isWriting(text: string): boolean {
  return !READS.test(text) || WRITES.test(text);
}

/** The part of the text that gives another value each time; null where there is none. */
export function volatilePart(text: string): string | null {
  return VOLATILE.exec(text)?.[0] ?? null;
}

// What the HTTP interface remembers: requests that are to be done once.

export interface HttpTables {
  idempotency_keys: {
    /** Hash of who and which key. */
    id: string;
    request_hash: string;
    status: number | null;
    version: number | null;
    /** JSON; null where there was none. */
    body: string | null;
    expires_ms: number;
  };
}

// The audit's tables. An entry's text is what counts; the columns beside it are there to look for entries, and verification
// checks that they say the same.

export interface AuditTables {
  audit_entries: {
    sequence: number;
    at_ms: number;
    actor_kind: string;
    actor_id: string;
    actor_name: string;
    action: string;
    subject_kind: string | null;
    subject_id: string | null;
    address: string | null;
    /** Canonical JSON: what was hashed. */
    text: string;
    hash: string;
  };
  /** One row: where the chain ends. Whoever appends holds it, so that the chain has no forks. */
  audit_end: { id: number; sequence: number; hash: string };
  audit_heads: {
    sequence: number;
    hash: string;
    at_ms: number;
    key_id: string;
    text: string;
    signature: Uint8Array;
  };
  audit_keys: {
    key_id: string;
    /** null for the first. */
    previous_key_id: string | null;
    at_ms: number;
    text: string;
    signature: Uint8Array;
    /** The private key under the bank's master key. */
    sealed: Uint8Array;
    sealed_sha256: string;
  };
  /** Parts of the archive whose entries are no longer here. */
  audit_archives: {
    last_sequence: number;
    first_sequence: number;
    last_hash: string;
    at_ms: number;
    key_id: string;
    text: string;
    signature: Uint8Array;
  };
}

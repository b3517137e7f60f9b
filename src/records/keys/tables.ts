// What is kept of keys: wrapped ones only, and what is known of subjects by their tokens.
import type { Generated } from 'kysely';

export interface KeyTables {
  data_keys: {
    /** 32 hexadecimal digits. */
    id: string;
    subject: string;
    master_id: string;
    /** null: destroyed. */
    wrapped: Uint8Array | null;
    created_ms: number;
    erased_ms: number | null;
  };
  wrapped_secrets: { name: string; master_id: string; wrapped: Uint8Array; created_ms: number };
  master_keys: {
    id: string;
    first_used_ms: number;
    /** When another one became the current one. */
    replaced_ms: number | null;
    retired_ms: number | null;
    version: number;
  };
  data_subjects: { subject: string; version: number };
  legal_holds: {
    id: string;
    subject: string;
    authority: string;
    act_number: string;
    reason: string;
    placed_by: string;
    placed_ms: number;
    /** null: until it is lifted. */
    until_ms: number | null;
    lifted_by: string | null;
    lifted_ms: number | null;
    lift_reason: string | null;
    version: number;
  };
  erasures: {
    id: string;
    subject: string;
    state: 'requested' | 'approved' | 'executed' | 'refused';
    reason: string;
    requested_by: string;
    requested_ms: number;
    approved_by: string | null;
    approved_ms: number | null;
    /** Who executed or refused it. */
    ended_by: string | null;
    ended_ms: number | null;
    refusal: string | null;
    destroyed_keys: number | null;
    /** As alerts have it, until the erasure has ended. */
    customer_id: string | null;
    /** Tokens of what else the customer is known by on lists. */
    identifiers: Generated<string[]>;
    /** Executed, and still to be taken off the lists. */
    lists_due: Generated<boolean>;
    listed_entries: number | null;
    erased_texts: number | null;
    version: number;
  };
}

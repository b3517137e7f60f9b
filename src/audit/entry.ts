// What the audit says: who did what to what, when and from where. No personal data in clear: ids and codes.

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface AuditEntryDraft {
  /** ms UTC. */
  readonly atMs: number;
  readonly actor: { readonly kind: 'user' | 'api-key' | 'system'; readonly id: string; readonly name: string };
  /** `area.verb-in-the-past`: `alert.assigned`, `personal-data.viewed`. */
  readonly action: string;
  readonly subject: { readonly kind: string; readonly id: string } | null;
  readonly detail: { readonly [name: string]: JsonValue };
  /** Where the request came from; null where there was none. */
  readonly address: string | null;
}

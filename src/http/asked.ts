// A request as handlers see it, and what they may use: never the framework.
import type { Kysely } from 'kysely';
import type { AuditEntryDraft } from '../audit/entry.ts';
import type { Principal } from '../identity/principal.ts';
import type { Database } from '../records/database.ts';
import type { AnswerOf, BodyOf, EndpointSpec, ParamsOf, QueryOf } from './contract/endpoint.ts';
import type { ENDPOINTS, EndpointName } from './contract.ts';

/** Of the records: all that is written through it counts, or nothing. */
export type RecordsTransaction = Kysely<Database>;

export interface Asked<Spec extends EndpointSpec = EndpointSpec> {
  readonly params: ParamsOf<Spec>;
  readonly query: QueryOf<Spec>;
  readonly body: BodyOf<Spec>;
  /** null where anyone may ask and nobody is known. */
  readonly principal: Principal | null;
  /** Of the session that is asked in; null for keys. */
  readonly sessionToken: string | null;
  readonly address: string;
  readonly requestId: string;
  readonly nowMs: number;
  /** The version that the caller saw; null where it gave none. */
  readonly ifMatch: number | null;
  /** The caller has gone. */
  readonly aborted: AbortSignal;
  header(name: string): string | null;
}

export interface Answer<Body> {
  readonly body: Body;
  readonly status?: number;
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Of a change: done once its transaction is committed, before it is answered. */
  readonly committed?: () => Promise<void>;
}

/** What is sent as it comes, line by line. */
export type Streamed = AsyncIterable<string | Uint8Array>;

type BodyGiven<Spec extends EndpointSpec> = Spec['answerType'] extends 'application/x-ndjson' | 'text/event-stream'
  ? Streamed
  : Spec['answerType'] extends 'application/octet-stream'
    ? Uint8Array
    : AnswerOf<Spec>;

/** Into the audit, in the transaction of the change: last of all, for others wait from then on. */
export type Recorder = (drafts: readonly AuditEntryDraft[]) => Promise<void>;

export type Reader<Spec extends EndpointSpec> = (asked: Asked<Spec>) => Promise<Answer<BodyGiven<Spec>>>;
export type Changer<Spec extends EndpointSpec> = (
  asked: Asked<Spec>,
  tx: RecordsTransaction,
  record: Recorder,
) => Promise<Answer<BodyGiven<Spec>>>;

/**
 * A change of what is not in the records: made first, then audited and acknowledged in the transaction. What makes it knows
 * a request that comes again by its hash, for a crash may lie between.
 */
export interface OutsideChange<Spec extends EndpointSpec> {
  make(asked: Asked<Spec>, request: string): Promise<Changer<Spec>>;
}

export type HandlerOf<Spec extends EndpointSpec> = Spec['does'] extends 'change'
  ? Changer<Spec> | OutsideChange<Spec>
  : Reader<Spec>;

/** One for each endpoint: a missing one does not compile. */
export type Handlers = { readonly [Name in EndpointName]: HandlerOf<(typeof ENDPOINTS)[Name]> };

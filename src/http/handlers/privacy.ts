// Personal data: views, exports, holds and erasures. Each is in the audit, under the customer's token and never their id.

import { cleanText } from '../../alerts/written-text.ts';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import { customerIdentifiers } from '../../jobs/erasure/customer-identifiers.ts';
import { identifierTokens } from '../../jobs/erasure/listed-customers.ts';
import type { StreamLog } from '../../ports.ts';
import type { Erasure } from '../../privacy/erasure.ts';
import {
  isSealedTransaction,
  type OpenedTransaction,
  type TransactionCodec,
} from '../../privacy/sealed-transaction.ts';
import type { SubjectToken, Tokens } from '../../privacy/tokens.ts';
import { labelsOfTransaction } from '../../records/alerts/labels.ts';
import { listAlerts } from '../../records/alerts/list-alerts.ts';
import type { AuditTrail } from '../../records/audit/audit-trail.ts';
import {
  approveErasure,
  customerToErase,
  executeErasure,
  listErasures,
  refuseErasure,
  requestErasure,
} from '../../records/keys/erasures.ts';
import { liftLegalHold, listLegalHolds, placeLegalHold } from '../../records/keys/legal-holds.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Asked, Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { EndpointSpec } from '../contract.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { notFound, Problem } from '../problem.ts';
import type { NewId } from './act.ts';

export interface PrivacyServices {
  readonly records: RecordStore;
  readonly log: Pick<StreamLog, 'read' | 'bounds'>;
  readonly topic: string;
  readonly tokens: Tokens;
  readonly codec: TransactionCodec;
  readonly trail: Pick<AuditTrail, 'record' | 'view'>;
  /** What is in clear on the stream. @throws InputError */
  readonly readClear: (value: Uint8Array) => OpenedTransaction['transaction'];
  /** How many values the bank's own lists hold of a customer. */
  listed(tokens: ReadonlySet<SubjectToken>): Promise<number>;
  /** Once it is committed: the customer comes off the lists, opened keys are forgotten, and what was just being made is destroyed, too. */
  afterErasure(erasure: Erasure): Promise<void>;
  readonly newId: NewId;
}

type PrivacyHandlers = Pick<
  Handlers,
  | ('viewTransaction' | 'exportCustomer' | 'listHolds' | 'placeHold' | 'liftHold')
  | ('listErasures' | 'requestErasure' | 'approveErasure' | 'refuseErasure' | 'executeErasure')
>;

const MOST_EXPORTED = 500;
const MOST_REASON = 2_000;

export function privacyHandlers(services: PrivacyServices): PrivacyHandlers {
  const { records, tokens, trail, newId } = services;
  const { db } = records;
  const changed = (
    asked: Asked<EndpointSpec>,
    action: string,
    kind: string,
    id: string,
    detail: AuditEntryDraft['detail'],
  ) => [{ atMs: asked.nowMs, actor: actorOf(asked), action, subject: { kind, id }, detail, address: asked.address }];
  const stepOf = (asked: Asked<EndpointSpec>, id: string) => {
    return { id, version: asked.ifMatch!, by: asked.principal!.id, nowMs: asked.nowMs };
  };
  return {
    async viewTransaction(asked) {
      const { params, query, nowMs, address } = asked;
      const opened = await readTransaction(services, params.transactionId, query);
      const subject = { kind: 'transaction', id: params.transactionId };
      await trail.record([
        { atMs: nowMs, actor: actorOf(asked), action: 'personal-data.viewed', subject, detail: {}, address },
      ]);
      return { body: opened };
    },
    async exportCustomer(asked) {
      const { customerId } = asked.body;
      const reason = cleanText(asked.body.reason, MOST_REASON, 'reason');
      const subject = tokens.subject(customerId);
      const { rows, next } = await listAlerts(
        db,
        { customer: tokens.publicId(customerId) },
        'newest',
        null,
        MOST_EXPORTED,
      );
      const labels = (await Promise.all(rows.map(({ id }) => labelsOfTransaction(db, id)))).flatMap(({ current }) =>
        current === null ? [] : [current],
      );
      const detail = { reason, alerts: rows.length };
      await trail.record(changed(asked, 'personal-data.exported', 'customer', subject, detail));
      // Neither reasons nor rules, and nothing of compliance: Ley 29733 leaves out what would help to evade controls.
      return {
        body: {
          alerts: rows.map((row) => {
            const { id, operation, currency, action } = row;
            return { id, eventMs: row.event_ms, operation, amountMinor: row.amount_minor, currency, action };
          }),
          labels: labels.map(({ transaction_id: transactionId, outcome, at_ms: atMs }) => ({
            transactionId,
            outcome,
            atMs,
          })),
          isComplete: next === null,
        },
      };
    },
    async listHolds({ query }) {
      const before = readCursor(query.cursor);
      const page = await listLegalHolds(
        db,
        before === null ? null : { placedMs: before.ms, id: before.id },
        query.limit ?? DEFAULT_PAGE,
      );
      return {
        body: {
          rows: page.holds,
          next: page.before === null ? null : writeCursor({ ms: page.before.placedMs, id: page.before.id }),
        },
      };
    },
    async placeHold(asked, tx, record) {
      const { customerId, untilMs = null, ...draft } = asked.body;
      const subject = tokens.subject(customerId);
      const [id, placedBy, placedMs] = [newId(asked.nowMs), asked.principal!.id, asked.nowMs];
      const hold = await placeLegalHold(tx, { ...draft, id, subject, placedBy, placedMs, untilMs });
      await record(
        changed(asked, 'legal-hold.placed', 'customer', subject, { hold: hold.id, actNumber: hold.actNumber }),
      );
      return { body: hold, version: hold.version };
    },
    async liftHold(asked, tx, record) {
      const hold = await liftLegalHold(tx, { ...stepOf(asked, asked.params.holdId), reason: asked.body.reason });
      const detail = { hold: hold.id, reason: hold.lifted?.reason ?? null };
      await record(changed(asked, 'legal-hold.lifted', 'customer', hold.subject, detail));
      return { body: hold, version: hold.version };
    },
    async listErasures({ query }) {
      const before = readCursor(query.cursor);
      const page = await listErasures(
        db,
        before === null ? null : { requestedMs: before.ms, id: before.id },
        query.limit ?? DEFAULT_PAGE,
      );
      return {
        body: {
          rows: page.erasures,
          next: page.before === null ? null : writeCursor({ ms: page.before.requestedMs, id: page.before.id }),
        },
      };
    },
    async requestErasure(asked, tx, record) {
      const { customerId: given, identifiers: others = [], reason } = asked.body;
      const subject = tokens.subject(given);
      const [id, by, nowMs] = [newId(asked.nowMs), asked.principal!.id, asked.nowMs];
      const identifiers = [...new Set(others.flatMap((value) => identifierTokens(value, tokens)))];
      const customerId = tokens.publicId(given);
      const erasure = await requestErasure(tx, { id, subject, customerId, identifiers, reason, by, nowMs });
      const detail = { erasure: id, reason: erasure.reason, identifiers: identifiers.length };
      await record(changed(asked, 'erasure.requested', 'customer', subject, detail));
      return { body: erasure, version: erasure.version };
    },
    async approveErasure(asked, tx, record) {
      const erasure = await approveErasure(tx, stepOf(asked, asked.params.erasureId));
      await record(changed(asked, 'erasure.approved', 'customer', erasure.subject, { erasure: erasure.id }));
      return { body: erasure, version: erasure.version };
    },
    async refuseErasure(asked, tx, record) {
      const { reason } = asked.body;
      const erasure = await refuseErasure(tx, stepOf(asked, asked.params.erasureId), reason);
      const detail = { erasure: erasure.id, reason: erasure.refusal };
      await record(changed(asked, 'erasure.refused', 'customer', erasure.subject, detail));
      return { body: erasure, version: erasure.version };
    },
    executeErasure: {
      // Before the transaction, for it reads the stream and the lists, and while the keys that it opens with are there.
      async make({ params }) {
        const customer = await customerToErase(db, params.erasureId);
        const found = customer === null ? new Set<SubjectToken>() : await customerIdentifiers(services, customer);
        const listedEntries = customer === null ? 0 : await services.listed(new Set([...customer.tokens, ...found]));
        return async (asked, tx, record) => {
          const { keptUntilMs } = asked.body;
          const more = { keptUntilMs, identifiers: [...found], listedEntries };
          const erasure = await executeErasure(tx, { ...stepOf(asked, asked.params.erasureId), ...more });
          const { id, destroyedKeys, erasedTexts } = erasure;
          const detail = { erasure: id, destroyedKeys, erasedTexts, listedEntries, keptUntilMs };
          await record(changed(asked, 'erasure.executed', 'customer', erasure.subject, detail));
          return { body: erasure, version: erasure.version, committed: () => services.afterErasure(erasure) };
        };
      },
    },
  };
}

function actorOf({ principal }: Asked<EndpointSpec>): AuditEntryDraft['actor'] {
  const { kind, id, name } = principal!;
  return { kind, id, name };
}

/** As it stands in the stream, opened. @throws Problem where there is another one, or none any more */
async function readTransaction(
  { log, topic, codec, readClear }: PrivacyServices,
  id: string,
  { partition, offset }: { readonly partition: number; readonly offset: number },
): Promise<OpenedTransaction> {
  const bounds = (await log.bounds(topic)).find((each) => each.partition === partition);
  if (bounds === undefined || offset < bounds.start || offset >= bounds.end)
    throw notFound('such place in the stream any more');
  const [record] = await log.read({ topic, partition, offset }, 1, 0);
  if (record?.value == null || record.offset !== offset) throw notFound('such place in the stream any more');
  const { value } = record;
  const opened = isSealedTransaction(value)
    ? (await codec.openAll([value]))[0]
    : { transaction: readClear(value), erased: false };
  if (opened.transaction.id !== id)
    throw new Problem(409, 'OTHER_TRANSACTION', 'Another transaction stands there: take the place from the decision');
  return opened;
}

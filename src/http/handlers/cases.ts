// Cases, from the first look to the close that a second person approves, and compliance's files.
import type { AlertSettings } from '../../alerts/settings.ts';
import type { SealedPlace } from '../../privacy/envelope.ts';
import type { TextSealing } from '../../privacy/sealed-text.ts';
import { assignCase } from '../../records/alerts/assign.ts';
import type { CaseRow } from '../../records/alerts/case-rows.ts';
import { decideRequest, stepCase, withdrawRequest } from '../../records/alerts/case-steps.ts';
import { referCase, stepFile } from '../../records/alerts/compliance.ts';
import { clocksOf, countCases, listCases, listFiles, listWaiting } from '../../records/alerts/list-cases.ts';
import { caseAlerts, caseComments, caseHistory, caseRelations, getCase } from '../../records/alerts/read-case.ts';
import {
  addComment,
  editComment,
  relateCases,
  setCaseTags,
  setClaim,
  unrelateCases,
} from '../../records/alerts/work.ts';
import { relationRow } from '../../records/alerts/written-places.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Asked, Handlers, RecordsTransaction } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { actOf, type NewId } from './act.ts';
import { alertOf, assigneeFilter } from './alerts.ts';
import { openedTexts } from './opened-texts.ts';

export interface CaseServices {
  readonly records: RecordStore;
  /** In force now. */
  readonly settings: () => AlertSettings;
  readonly newId: NewId;
  /** Seals what people write. */
  readonly texts: TextSealing;
  /** Somebody looks after it: nobody is told further. */
  taken(
    tx: RecordsTransaction,
    what: { readonly caseId: string },
    asked: Pick<Asked, 'principal' | 'address'>,
  ): Promise<void>;
}

const placeOfComment = (id: string): SealedPlace => ({ table: 'case_comments', row: id, field: 'body' });

type CaseHandlers = Pick<
  Handlers,
  | ('listCases' | 'countCases' | 'getCase' | 'listCaseAlerts' | 'caseHistory' | 'stepCase' | 'listRequests')
  | ('decideRequest' | 'withdrawRequest' | 'assignCase' | 'tagCase' | 'claimCase' | 'listComments' | 'addComment')
  | ('editComment' | 'listRelations' | 'relateCases' | 'unrelateCases' | 'referCase' | 'listFiles' | 'stepFile')
>;

export function caseHandlers({ records, settings, newId, texts, taken }: CaseServices): CaseHandlers {
  const { db } = records;
  const keep = (text: string, id: string) => texts.seal(text, placeOfComment(id));
  return {
    async listCases({ query, nowMs }) {
      const { cursor = null, limit = DEFAULT_PAGE, order, assignee, ...filter } = query;
      const wanted = { ...filter, ...assigneeFilter(assignee) };
      const isOpen = filter.state === undefined || filter.state === 'open';
      const { rows, next } = await listCases(db, wanted, order ?? (isOpen ? 'urgency' : 'newest'), cursor, limit);
      return { body: { rows: rows.map((row) => caseOf(row, nowMs, settings())), next } };
    },
    countCases: async () => ({ body: { counts: await countCases(db) } }),
    async getCase({ params, principal, nowMs }) {
      const { row, files, ...more } = await getCase(db, params.caseId, principal!.permissions);
      return {
        body: { case: caseOf(row, nowMs, settings()), files: files.map(camelRow), ...more },
        version: row.version,
      };
    },
    async listCaseAlerts({ params, nowMs }) {
      const { mostAlertsOfCase } = settings().grouping;
      const rows = await caseAlerts(db, params.caseId, mostAlertsOfCase);
      return { body: { rows: rows.map((row) => alertOf(row, nowMs, settings())) } };
    },
    async caseHistory({ params, query, principal }) {
      const { cursor = null, limit = DEFAULT_PAGE } = query;
      const { rows, next } = await caseHistory(db, params.caseId, principal!.permissions, cursor, limit);
      const told = rows.map((row) => camelRow(openedTexts(texts, row, row.id, { reason: 'case_history.reason' })));
      return { body: { rows: told, next } };
    },
    async stepCase(asked, tx, record) {
      const { step, reason = '', typology = null } = asked.body;
      const draft = { step, reason, typology, version: asked.ifMatch };
      await taken(tx, asked.params, asked);
      const { result, audit } = await stepCase(tx, asked.params.caseId, draft, settings(), actOf(asked, newId, texts));
      await record(audit);
      return { body: { kind: result.kind, requestId: result.kind === 'waits' ? result.requestId : null } };
    },
    async listRequests({ query, principal }) {
      const { cursor = null, limit = DEFAULT_PAGE } = query;
      const { rows, next } = await listWaiting(db, principal!.permissions, cursor, limit);
      const written = { reason: 'case_requests.reason', comment: 'case_requests.comment' } as const;
      const told = rows.map(({ detail: _, ...row }) => camelRow(openedTexts(texts, row, row.id, written)));
      return { body: { rows: told, next } };
    },
    async decideRequest(asked, tx, record) {
      const { isApproved, comment = '' } = asked.body;
      const act = actOf(asked, newId, texts);
      const { audit } = await decideRequest(tx, asked.params.requestId, isApproved, comment, settings(), act);
      await record(audit);
      return { body: null };
    },
    async withdrawRequest(asked, tx, record) {
      const { audit } = await withdrawRequest(tx, asked.params.requestId, actOf(asked, newId, texts));
      await record(audit);
      return { body: null };
    },
    async assignCase(asked, tx, record) {
      const { params, body, ifMatch } = asked;
      const { audit } = await assignCase(tx, params.caseId, body.assignee, ifMatch, actOf(asked, newId, texts));
      await record(audit);
      if (body.assignee !== null) await taken(tx, params, asked);
      return { body: null };
    },
    async tagCase(asked, tx, record) {
      const { params, body, ifMatch } = asked;
      const { result, audit } = await setCaseTags(tx, params.caseId, body.tags, ifMatch, actOf(asked, newId, texts));
      await record(audit);
      return { body: { tags: result } };
    },
    async claimCase(asked, tx, record) {
      const { claimId, claimedMs } = asked.body;
      const { result, audit } = await setClaim(tx, asked.params.caseId, claimId, claimedMs, actOf(asked, newId, texts));
      await record(audit);
      return { body: { dueMs: result } };
    },
    async listComments({ params, principal }) {
      const rows = await caseComments(db, params.caseId, principal!.permissions);
      const opened = <Row extends { readonly body: string }>(row: Row, id: string): Row => ({
        ...row,
        body: texts.open(row.body, placeOfComment(id)),
      });
      const told = rows.map((row) => ({
        ...camelRow(opened(row, row.id)),
        earlier: row.earlier.map((each) => camelRow(opened(each, row.id))),
      }));
      return { body: { rows: told } };
    },
    async addComment(asked, tx, record) {
      const { body, kind = 'comment', isConfidential = false } = asked.body;
      const draft = { body, kind, isConfidential };
      const { result, audit } = await addComment(tx, asked.params.caseId, draft, actOf(asked, newId, texts), keep);
      await record(audit);
      return { body: { id: result } };
    },
    async editComment(asked, tx, record) {
      const { params, body, ifMatch } = asked;
      const { audit } = await editComment(tx, params.commentId, body.body, ifMatch!, actOf(asked, newId, texts), keep);
      await record(audit);
      return { body: null };
    },
    async listRelations({ params, principal }) {
      const rows = await caseRelations(db, params.caseId, principal!.permissions);
      const told = rows.map((row) => openedTexts(texts, row, relationRow(row), { note: 'case_relations.note' }));
      return { body: { rows: told.map(camelRow) } };
    },
    async relateCases(asked, tx, record) {
      const { toId, kind, note = null, isConfidential = false } = asked.body;
      const draft = { toId, kind, note, isConfidential };
      const { audit } = await relateCases(tx, asked.params.caseId, draft, actOf(asked, newId, texts));
      await record(audit);
      return { body: null };
    },
    async unrelateCases(asked, tx, record) {
      const { kind, isConfidential = false } = asked.query;
      const draft = { toId: asked.params.toId, kind, isConfidential };
      const { audit } = await unrelateCases(tx, asked.params.caseId, draft, actOf(asked, newId, texts));
      await record(audit);
      return { body: null };
    },
    async referCase(asked, tx, record) {
      const { audit } = await referCase(tx, asked.params.caseId, asked.body.reason, actOf(asked, newId, texts));
      await record(audit);
      return { body: null };
    },
    async listFiles(asked) {
      const { cursor = null, limit = DEFAULT_PAGE, state = null } = asked.query;
      const { rows, next } = await listFiles(db, state, cursor, limit, actOf(asked, newId, texts));
      return { body: { rows: rows.map(camelRow), next } };
    },
    async stepFile(asked, tx, record) {
      const { step, reason, rosNumber = null } = asked.body;
      const draft = { step, reason, rosNumber };
      const { result, audit } = await stepFile(tx, asked.params.fileId, draft, actOf(asked, newId, texts));
      await record(audit);
      return { body: { requestId: result } };
    },
  };
}

function caseOf(row: CaseRow, nowMs: number, { levels }: Pick<AlertSettings, 'levels'>) {
  const { priority: _, is_open: __, ...told } = row;
  return { ...camelRow(told), clocks: clocksOf(row, row.opened_ms, row.closed_ms, nowMs, levels.nearShare) };
}

// What people write and hang onto a case: comments and notes, tags, relations to other cases, files, a customer's claim.
//
// What is confidential is written and read by those alone who may see compliance's part; for all others it is not there.
import { createHash } from 'node:crypto';
import { checkAttachment, cleanFileName } from '../../alerts/attachment.ts';
import { demandPermission } from '../../alerts/case-life.ts';
import { claimDueMs } from '../../alerts/service-levels.ts';
import { demandReason } from '../../alerts/suppression.ts';
import { cleanComment, cleanTag, cleanText, MOST_TAGS } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import {
  type Act,
  auditDraft,
  byColumns,
  type Done,
  demandChanged,
  doerOf,
  keepText,
  notFound,
  type Tx,
  writeHistory,
} from './act.ts';
import { lockAlert, lockCase, updateCase } from './case-rows.ts';
import type { CaseAttachmentTable, CaseRelationTable } from './tables.ts';
import { relationRow } from './written-places.ts';

const MOST_COMMENTS = 2_000;
const MOST_ATTACHMENTS = 100;
const MOST_RELATIONS = 100;
const MOST_NOTE = 500;
const MOST_REASON = 2_000;
const CLAIM_ID = /^[\w./-]{1,64}$/;

export interface CommentDraft {
  readonly kind: 'comment' | 'note';
  readonly body: string;
  readonly isConfidential: boolean;
}

/** How a comment's text is kept, by the comment's id. */
export type KeepText = (text: string, id: string) => string;

const asItIs: KeepText = (text) => text;

/** @returns the comment's id */
export async function addComment(
  tx: Tx,
  caseId: string,
  draft: CommentDraft,
  act: Act,
  keep: KeepText = asItIs,
): Promise<Done<string>> {
  demandMay(act, draft.isConfidential);
  const clean = cleanComment(draft.body, draft.kind);
  const row = await lockCase(tx, caseId);
  await demandRoom(tx, 'case_comments', row.id, MOST_COMMENTS);
  const { kind, isConfidential } = draft;
  const id = act.newId();
  const body = keep(clean, id);
  const comment = { id, case_id: row.id, kind, body, ...byColumns(act), at_ms: act.atMs, edited_ms: null };
  await tx
    .insertInto('case_comments')
    .values({ ...comment, is_confidential: isConfidential, version: 1 })
    .execute();
  return { result: id, audit: [draftOf(act, `${kind}-added`, row.id, isConfidential, id)] };
}

/** One's own; what it was is kept. @param version the one that was seen */
export async function editComment(
  tx: Tx,
  id: string,
  body: string,
  version: number,
  act: Act,
  keep: KeepText = asItIs,
): Promise<Done<null>> {
  const clean = keep(cleanComment(body, 'comment'), id);
  const row = await tx
    .selectFrom('case_comments')
    .selectAll()
    .where('id', '=', id)
    .where('by_id', '=', act.by.id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound('comment', id);
  demandMay(act, row.is_confidential);
  demandChanged(row.version === version ? 1n : 0n, 'comment', id);
  const before = { comment_id: id, version, body: row.body, until_ms: act.atMs };
  await tx.insertInto('case_comment_versions').values(before).execute();
  await tx
    .updateTable('case_comments')
    .set({ body: clean, edited_ms: act.atMs, version: version + 1 })
    .where('id', '=', id)
    .execute();
  return { result: null, audit: [draftOf(act, 'comment-edited', row.case_id, row.is_confidential, id)] };
}

/** The case's tags from now on. @param version the one that was seen; null where it does not matter */
export async function setCaseTags(
  tx: Tx,
  caseId: string,
  given: readonly string[],
  version: number | null,
  act: Act,
): Promise<Done<readonly string[]>> {
  demandMay(act, false);
  const tags = cleanTags(given);
  const row = await lockCase(tx, caseId, version);
  await updateCase(tx, row, { tags: [...tags] });
  await writeHistory(tx, act, [{ caseId, what: 'tags', from: row.tags, to: tags }]);
  return {
    result: tags,
    audit: [auditDraft(act, 'case.tagged', { kind: 'case', id: caseId }, { from: row.tags, to: tags })],
  };
}

export async function setAlertTags(
  tx: Tx,
  id: string,
  given: readonly string[],
  act: Act,
): Promise<Done<readonly string[]>> {
  demandPermission(doerOf(act), ['alerts:work']);
  const tags = cleanTags(given);
  const { tags: before, version, case_id: caseId } = await lockAlert(tx, id);
  await tx
    .updateTable('alerts')
    .set({ tags: [...tags], version: version + 1 })
    .where('id', '=', id)
    .execute();
  await writeHistory(tx, act, [{ caseId: caseId ?? id, alertId: id, what: 'alert-tags', from: before, to: tags }]);
  return { result: tags, audit: [auditDraft(act, 'alert.tagged', { kind: 'alert', id }, { from: before, to: tags })] };
}

function cleanTags(given: readonly string[]): readonly string[] {
  const tags = [...new Set(given.map(cleanTag))].sort();
  if (tags.length <= MOST_TAGS) return tags;
  throw new InputError('TAGS_TOO_MANY', `These are ${tags.length} tags`, `Use at most ${MOST_TAGS}`);
}

export interface RelationDraft {
  readonly toId: string;
  readonly kind: CaseRelationTable['kind'];
  readonly note: string | null;
  readonly isConfidential: boolean;
}

export async function relateCases(tx: Tx, fromId: string, draft: RelationDraft, act: Act): Promise<Done<null>> {
  const { toId, kind, isConfidential } = draft;
  demandMay(act, isConfidential);
  if (fromId === toId) throw new InputError('RELATION_INVALID', 'A case is related to another one', 'Give another id');
  const note = draft.note === null ? null : cleanText(draft.note, MOST_NOTE, 'note');
  // In one order whoever relates them, so that nobody waits for each other.
  for (const id of [fromId, toId].sort()) await lockCase(tx, id);
  const { count } = await tx
    .selectFrom('case_relations')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('from_id', '=', fromId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_RELATIONS) throw tooMany('relations', MOST_RELATIONS);
  const relation = { from_id: fromId, to_id: toId, kind, is_confidential: isConfidential };
  const kept = note === null ? null : keepText(act, note, 'case_relations.note', relationRow(relation));
  await tx
    .insertInto('case_relations')
    .values({ ...relation, note: kept, ...byColumns(act), at_ms: act.atMs })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await writeHistory(tx, act, [{ caseId: fromId, what: 'related', from: null, to: { toId, kind }, isConfidential }]);
  return { result: null, audit: [draftOf(act, 'related', fromId, isConfidential, toId)] };
}

export async function unrelateCases(
  tx: Tx,
  fromId: string,
  draft: Omit<RelationDraft, 'note'>,
  act: Act,
): Promise<Done<null>> {
  const { toId, kind, isConfidential } = draft;
  demandMay(act, isConfidential);
  const { numDeletedRows } = await tx
    .deleteFrom('case_relations')
    .where('from_id', '=', fromId)
    .where('to_id', '=', toId)
    .where('kind', '=', kind)
    .where('is_confidential', '=', isConfidential)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw notFound('relation to', toId);
  await writeHistory(tx, act, [{ caseId: fromId, what: 'unrelated', from: { toId, kind }, to: null, isConfidential }]);
  return { result: null, audit: [draftOf(act, 'unrelated', fromId, isConfidential, toId)] };
}

export interface CheckedFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a file is, from its bytes. @throws InputError where it is not kept (src/alerts/attachment.ts) */
export function inspectFile(name: string, bytes: Uint8Array): CheckedFile {
  const kind = checkAttachment(bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name: cleanFileName(name, kind), type: kind.type, bytes: bytes.length, sha256 };
}

/**
 * The caller has put the sealed bytes into the object store before, so that no row is without its bytes.
 *
 * @returns the attachment's id
 */
export async function addAttachment(
  tx: Tx,
  caseId: string,
  file: CheckedFile & { readonly objectKey: string; readonly isConfidential: boolean },
  act: Act,
): Promise<Done<string>> {
  const { objectKey, isConfidential, ...about } = file;
  demandMay(act, isConfidential);
  const row = await lockCase(tx, caseId);
  await demandRoom(tx, 'case_attachments', row.id, MOST_ATTACHMENTS);
  const id = act.newId();
  const attachment = { id, case_id: row.id, ...about, object_key: objectKey, ...byColumns(act), at_ms: act.atMs };
  const open = { removed_ms: null, removed_by: null, is_confidential: isConfidential };
  await tx
    .insertInto('case_attachments')
    .values({ ...attachment, ...open })
    .execute();
  const to = { id, sha256: about.sha256, type: about.type, bytes: about.bytes };
  await writeHistory(tx, act, [{ caseId: row.id, what: 'attached', from: null, to, isConfidential }]);
  return { result: id, audit: [draftOf(act, 'attached', row.id, isConfidential, id)] };
}

/** It is no longer shown; the row tells what there was. @returns where the bytes are, for the caller to remove */
export async function removeAttachment(tx: Tx, id: string, reason: string, act: Act): Promise<Done<string>> {
  demandReason(reason);
  const row = await tx
    .selectFrom('case_attachments')
    .selectAll()
    .where('id', '=', id)
    .where('removed_ms', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || !mayTouch(row, act)) throw notFound('attachment', id);
  if (row.by_id !== act.by.id) demandPermission(doerOf(act), ['cases:manage']);
  demandMay(act, row.is_confidential);
  await tx
    .updateTable('case_attachments')
    .set({ removed_ms: act.atMs, removed_by: act.by.id })
    .where('id', '=', id)
    .execute();
  const clean = cleanText(reason, MOST_REASON, 'reason');
  const from = { id, sha256: row.sha256 };
  const change = { caseId: row.case_id, what: 'detached', from, to: null, reason: clean };
  await writeHistory(tx, act, [{ ...change, isConfidential: row.is_confidential }]);
  return { result: row.object_key, audit: [draftOf(act, 'detached', row.case_id, row.is_confidential, id)] };
}

function mayTouch({ is_confidential }: CaseAttachmentTable, { permissions }: Act): boolean {
  return !is_confidential || permissions.has('cases:confidential');
}

/** A customer's claim about what the case is about; it is answered within 15 business days (Res. SBS 4036-2022). */
export async function setClaim(
  tx: Tx,
  caseId: string,
  claimId: string,
  claimedMs: number,
  act: Act,
): Promise<Done<number>> {
  demandMay(act, false);
  if (!CLAIM_ID.test(claimId)) {
    throw new InputError('CLAIM_INVALID', 'This is no number of a claim', 'Up to 64 letters, digits, hyphens');
  }
  const row = await lockCase(tx, caseId);
  const dueMs = claimDueMs(claimedMs);
  await updateCase(tx, row, { claim_id: claimId, claimed_ms: claimedMs, claim_due_ms: dueMs });
  await writeHistory(tx, act, [{ caseId, what: 'claim', from: row.claim_id, to: claimId }]);
  return { result: dueMs, audit: [auditDraft(act, 'case.claimed', { kind: 'case', id: caseId }, { claimId, dueMs })] };
}

function demandMay(act: Act, isConfidential: boolean): void {
  demandPermission(doerOf(act), ['cases:work', ...(isConfidential ? ['cases:confidential'] : [])]);
}

async function demandRoom(
  tx: Tx,
  table: 'case_comments' | 'case_attachments',
  caseId: string,
  most: number,
): Promise<void> {
  const { count } = await tx
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('case_id', '=', caseId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= most) throw tooMany(table === 'case_comments' ? 'comments' : 'files', most);
}

function tooMany(what: string, most: number): InputError {
  return new InputError('CASE_FULL', `The case has ${most} ${what} already`, 'Open a related case');
}

/** What is confidential names itself, not the case that it is about. */
function draftOf(
  act: Act,
  verb: string,
  caseId: string,
  isConfidential: boolean,
  id: string,
): Done<null>['audit'][number] {
  if (isConfidential) return auditDraft(act, `compliance.${verb}`, { kind: 'case-item', id });
  return auditDraft(act, `case.${verb}`, { kind: 'case', id: caseId }, { id });
}

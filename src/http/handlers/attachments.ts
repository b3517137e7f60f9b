// Files of cases: checked by their bytes, sealed in the object store, shown to who may see personal data, and that is audited.
import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '../../ports.ts';
import type { SealedPlace } from '../../privacy/envelope.ts';
import type { TextSealing } from '../../privacy/sealed-text.ts';
import { caseAttachments, getAttachment, getCase } from '../../records/alerts/read-case.ts';
import { addAttachment, inspectFile, removeAttachment } from '../../records/alerts/work.ts';
import type { AuditTrail } from '../../records/audit/audit-trail.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { ATTACHMENTS_FOLDER } from '../../records/retention/objects.ts';
import type { Handlers } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { notFound } from '../problem.ts';
import { actOf, type NewId } from './act.ts';

export interface AttachmentServices {
  readonly records: RecordStore;
  readonly objects: ObjectStore;
  seal(bytes: Uint8Array, place: SealedPlace): Promise<Uint8Array>;
  open(sealed: Uint8Array, place: SealedPlace): Promise<Uint8Array>;
  readonly trail: Pick<AuditTrail, 'record'>;
  readonly newId: NewId;
  /** Seals files' names, in which anybody may be named. */
  readonly texts: TextSealing;
}

type AttachmentHandlers = Pick<Handlers, 'listAttachments' | 'addAttachment' | 'getAttachment' | 'removeAttachment'>;

const placeOfName = (key: string): SealedPlace => ({ table: 'case_attachments', row: key, field: 'name' });
const placeOf = (key: string): SealedPlace => ({ table: 'attachments', row: key, field: 'content' });

export function attachmentHandlers({
  records,
  objects,
  seal,
  open,
  trail,
  newId,
  texts,
}: AttachmentServices): AttachmentHandlers {
  const { db } = records;
  return {
    async listAttachments({ params, principal }) {
      const rows = await caseAttachments(db, params.caseId, principal!.permissions);
      const told = rows.map(({ object_key: key, removed_ms: _, removed_by: __, ...row }) =>
        camelRow({ ...row, name: texts.open(row.name, placeOfName(key)) }),
      );
      return { body: { rows: told } };
    },
    addAttachment: {
      // Before the records' transaction: sealing may ask the records for a key, and a bucket takes its time while others wait.
      // So no row is without its bytes; an object without a row is sealed bytes that nobody can ask for.
      async make({ body, params, query, principal }) {
        const { name, isConfidential = false } = query;
        const file = inspectFile(name, body);
        await getCase(db, params.caseId, principal!.permissions);
        const objectKey = `${ATTACHMENTS_FOLDER}/${randomUUID()}`;
        await objects.put(objectKey, await seal(body, placeOf(objectKey)));
        const draft = { ...file, name: texts.seal(file.name, placeOfName(objectKey)), objectKey, isConfidential };
        return async (asked, tx, record) => {
          const { result, audit } = await addAttachment(tx, asked.params.caseId, draft, actOf(asked, newId, texts));
          await record(audit);
          return { body: { id: result, name: file.name, type: file.type, sha256: file.sha256 } };
        };
      },
    },
    async getAttachment({ params, principal, nowMs, address }) {
      const {
        id,
        case_id: caseId,
        object_key: key,
        name: keptName,
        sha256,
      } = await getAttachment(db, params.attachmentId, principal!.permissions);
      const { kind, id: byId, name: byName } = principal!;
      const subject = { kind: 'case', id: caseId };
      const actor = { kind, id: byId, name: byName };
      await trail.record([
        { atMs: nowMs, actor, action: 'personal-data.viewed', subject, detail: { attachment: id, sha256 }, address },
      ]);
      const sealed = await objects.get(key);
      if (sealed === null) throw notFound('such attachment any more');
      const name = texts.open(keptName, placeOfName(key));
      const headers = { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}` };
      return { body: await open(sealed, placeOf(key)), headers };
    },
    async removeAttachment(asked, tx, record) {
      const { audit } = await removeAttachment(
        tx,
        asked.params.attachmentId,
        asked.body.reason,
        actOf(asked, newId, texts),
      );
      await record(audit);
      return { body: null };
    },
  };
}

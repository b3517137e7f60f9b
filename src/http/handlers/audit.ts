// The audit, to be read and verified. Reading it is in it, too.
import type { AuditReport } from '../../audit/verify.ts';
import type { Principal } from '../../identity/principal.ts';
import type { AuditTrail } from '../../records/audit/audit-trail.ts';
import { type AuditFilter, listAudit } from '../../records/audit/list.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Asked, Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { ENDPOINTS } from '../contract.ts';
import { Problem } from '../problem.ts';

export interface AuditServices {
  readonly records: RecordStore;
  readonly trail: Pick<AuditTrail, 'record'>;
  /** With the keys that are trusted here. */
  verify(): Promise<AuditReport>;
}

export function auditHandlers({ records, trail, verify }: AuditServices): Pick<Handlers, 'listAudit' | 'verifyAudit'> {
  return {
    async listAudit(asked) {
      const { cursor, limit = DEFAULT_PAGE } = asked.query;
      const { entries, before } = await listAudit(records.db, filterOf(asked.query), beforeOf(cursor), limit);
      return {
        body: {
          // What compliance does is known to those alone who may know of it.
          rows: entries
            .filter(({ action }) => seesAll(asked.principal) || !action.startsWith('compliance.'))
            .map(({ sequence, atMs, actor, action, subject, detail, address, hash }) => {
              return { sequence, atMs, actor, action, subject, detail, address, hash };
            }),
          next: before === null ? null : String(before),
        },
      };
    },
    async verifyAudit({ principal, nowMs, address }) {
      const { entries, last, signed, unsigned, breaks, moreBreaks } = await verify();
      const { kind, id, name } = principal!;
      const detail = { entries, breaks: breaks.length + moreBreaks };
      await trail.record([
        { atMs: nowMs, actor: { kind, id, name }, action: 'audit.verified', subject: null, detail, address },
      ]);
      const told = breaks.map(({ from, to, message }) => ({ from, to, message }));
      return { body: { entries, last, signedUpTo: signed?.sequence ?? null, unsigned, breaks: told, moreBreaks } };
    },
  };
}

function seesAll(principal: Principal | null): boolean {
  return principal?.permissions.has('cases:confidential') === true;
}

function beforeOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new Problem(422, 'CURSOR_INVALID', 'The cursor is none of ours. Begin with the first page');
}

function filterOf({
  actorId,
  action,
  subjectKind,
  subjectId,
  fromMs,
  untilMs,
}: Asked<(typeof ENDPOINTS)['listAudit']>['query']): AuditFilter {
  if ((subjectKind === undefined) !== (subjectId === undefined)) {
    throw new Problem(422, 'QUERY_INVALID', 'subjectKind and subjectId go together: give both, or neither');
  }
  return {
    ...(actorId !== undefined && { actorId }),
    ...(action !== undefined && { actionPrefix: action }),
    ...(subjectKind !== undefined && subjectId !== undefined && { subject: { kind: subjectKind, id: subjectId } }),
    ...(fromMs !== undefined && { fromMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
}

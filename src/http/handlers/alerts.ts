// Alerts and their suppressions.
import type { AlertSettings } from '../../alerts/settings.ts';
import type { TextSealing } from '../../privacy/sealed-text.ts';
import { assignAlert } from '../../records/alerts/assign.ts';
import type { AlertRow } from '../../records/alerts/case-rows.ts';
import { decideAlert } from '../../records/alerts/case-steps.ts';
import { countAlerts, countOverdueAlerts, getAlert, listAlerts } from '../../records/alerts/list-alerts.ts';
import { clocksOf } from '../../records/alerts/list-cases.ts';
import { addSuppression, endSuppression, listSuppressions } from '../../records/alerts/suppressions.ts';
import { setAlertTags } from '../../records/alerts/work.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Asked, Handlers, RecordsTransaction } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { actOf, type NewId } from './act.ts';
import { openedTexts } from './opened-texts.ts';

export interface AlertServices {
  readonly records: RecordStore;
  /** In force now. */
  readonly settings: () => AlertSettings;
  readonly newId: NewId;
  /** Seals what people write. */
  readonly texts: TextSealing;
  /** Somebody looks after it: nobody is told further. */
  taken(
    tx: RecordsTransaction,
    what: { readonly alertId: string },
    asked: Pick<Asked, 'principal' | 'address'>,
  ): Promise<void>;
}

type AlertHandlers = Pick<
  Handlers,
  | ('listAlerts' | 'countAlerts' | 'getAlert' | 'assignAlert' | 'decideAlert' | 'tagAlert')
  | ('listSuppressions' | 'addSuppression' | 'endSuppression')
>;

export function alertHandlers({ records, settings, newId, texts, taken }: AlertServices): AlertHandlers {
  const { db } = records;
  return {
    async listAlerts({ query, nowMs }) {
      const { cursor = null, limit = DEFAULT_PAGE, order, assignee, ...filter } = query;
      const wanted = { ...filter, ...assigneeFilter(assignee) };
      const isOpen = filter.state === undefined || filter.state === 'open';
      const { rows, next } = await listAlerts(db, wanted, order ?? (isOpen ? 'urgency' : 'newest'), cursor, limit);
      return { body: { rows: rows.map((row) => alertOf(row, nowMs, settings())), next } };
    },
    async countAlerts({ nowMs }) {
      const [counts, overdue] = await Promise.all([countAlerts(db), countOverdueAlerts(db, nowMs)]);
      return { body: { counts, overdue: overdue.map(camelRow) } };
    },
    async getAlert({ params, nowMs }) {
      const { alert, joined } = await getAlert(db, params.alertId);
      const told = {
        alert: alertOf(alert, nowMs, settings()),
        joined: joined.map((row) => alertOf(row, nowMs, settings())),
      };
      return { body: told, version: alert.version };
    },
    async assignAlert(asked, tx, record) {
      const { audit } = await assignAlert(tx, asked.params.alertId, asked.body.assignee, actOf(asked, newId, texts));
      await record(audit);
      if (asked.body.assignee !== null) await taken(tx, asked.params, asked);
      return { body: null };
    },
    async decideAlert(asked, tx, record) {
      const { outcome, reason, typology = null } = asked.body;
      const decision = { outcome, reason, typology };
      const { audit } = await decideAlert(tx, asked.params.alertId, decision, settings(), actOf(asked, newId, texts));
      await record(audit);
      await taken(tx, asked.params, asked);
      return { body: null };
    },
    async tagAlert(asked, tx, record) {
      const { result, audit } = await setAlertTags(
        tx,
        asked.params.alertId,
        asked.body.tags,
        actOf(asked, newId, texts),
      );
      await record(audit);
      return { body: { tags: result } };
    },
    async listSuppressions({ query, nowMs }) {
      const { cursor = null, limit = DEFAULT_PAGE, inForce = false } = query;
      const { rows, next } = await listSuppressions(db, inForce ? nowMs : null, cursor, limit);
      const written = {
        reason: 'alert_suppressions.reason',
        ended_reason: 'alert_suppressions.ended_reason',
      } as const;
      return { body: { rows: rows.map((row) => camelRow(openedTexts(texts, row, row.id, written))), next } };
    },
    async addSuppression(asked, tx, record) {
      const { entity, entityId, typology = null, ruleId = null, untilMs, reason } = asked.body;
      const scope = { entity, entityId, typology, ruleId };
      const { result, audit } = await addSuppression(tx, scope, untilMs, reason, actOf(asked, newId, texts));
      await record(audit);
      return { body: { id: result } };
    },
    async endSuppression(asked, tx, record) {
      const { audit } = await endSuppression(
        tx,
        asked.params.suppressionId,
        asked.body.reason,
        actOf(asked, newId, texts),
      );
      await record(audit);
      return { body: null };
    },
  };
}

/** `none`: nobody's. */
export function assigneeFilter(assignee: string | undefined): { readonly assignee?: string | null } {
  return assignee === undefined ? {} : { assignee: assignee === 'none' ? null : assignee };
}

export function alertOf(row: AlertRow, nowMs: number, { levels }: Pick<AlertSettings, 'levels'>) {
  // Where it came from is asked for by who may see it; how it is sorted is nobody's business.
  const { ip_address: _, priority: __, is_open: ___, evidence: ____, ...told } = row;
  return { ...camelRow(told), clocks: clocksOf(row, row.created_ms, row.decided_ms, nowMs, levels.nearShare) };
}

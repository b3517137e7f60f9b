// Settings that hold without a restart.
import type { RetentionMonths } from '../../privacy/retention.ts';
import { RETENTION_CLASS_IDS, RETENTION_CLASSES } from '../../privacy/retention-data.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { changeAlertSettings, readAlertSettings } from '../../records/settings/alert-settings.ts';
import { changeRetentionMonths, readRetentionMonths } from '../../records/settings/retention-settings.ts';
import type { KeptSettings } from '../../records/settings/settings-row.ts';
import type { Handlers } from '../asked.ts';
import { actOf, type NewId } from './act.ts';

export interface SettingsServices {
  readonly records: RecordStore;
  readonly newId: NewId;
  /** Takes up what the records have now. */
  readonly refresh: () => Promise<void>;
}

export function settingsHandlers({
  records,
  newId,
  refresh,
}: SettingsServices): Pick<
  Handlers,
  'getAlertSettings' | 'changeAlertSettings' | 'getRetentionSettings' | 'changeRetentionSettings'
> {
  return {
    async getAlertSettings() {
      const kept = await readAlertSettings(records.db);
      return { body: kept, version: kept.version };
    },
    async changeAlertSettings(asked, tx, record) {
      const { settings, reason } = asked.body;
      const { result, audit } = await changeAlertSettings(tx, settings, reason, asked.ifMatch!, actOf(asked, newId));
      await record(audit);
      return { body: result, version: result.version, committed: refresh };
    },
    async getRetentionSettings() {
      const kept = await readRetentionMonths(records.db);
      return { body: retentionAnswer(kept), version: kept.version };
    },
    async changeRetentionSettings(asked, tx, record) {
      const { months, reason } = asked.body;
      // JSON leaves out what is not there.
      const wanted = months as Readonly<Record<string, number>>;
      const { result, audit } = await changeRetentionMonths(tx, wanted, reason, actOf(asked, newId), asked.ifMatch!);
      await record(audit);
      return { body: retentionAnswer(result), version: result.version };
    },
  };
}

function retentionAnswer({ settings, ...kept }: KeptSettings<RetentionMonths>) {
  const classes = RETENTION_CLASS_IDS.map((id) => {
    const { months: usualMonths, leastMonths, ...rest } = RETENTION_CLASSES[id];
    return { ...rest, months: settings[id], usualMonths, leastMonths: Math.max(1, leastMonths) };
  });
  return { classes, ...kept };
}

// Settings that hold at once, without a restart.

import type { RecordStore } from '../../records/record-store.ts';
import { changeAlertSettings, readAlertSettings } from '../../records/settings/alert-settings.ts';
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
}: SettingsServices): Pick<Handlers, 'getAlertSettings' | 'changeAlertSettings'> {
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
  };
}

// The settings of alerts and cases that hold in this process: at once where it made the change itself, within seconds where
// another process did.
import { type AlertSettings, DEFAULT_ALERT_SETTINGS } from '../../alerts/settings.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { readAlertSettings } from '../../records/settings/alert-settings.ts';
import { every } from './every.ts';

export interface FollowedAlertSettings {
  current(): AlertSettings;
  refresh(): Promise<void>;
  close(): void;
}

const REFRESH_MS = 5_000;

export async function followAlertSettings(
  { db }: RecordStore,
  onTrouble: (error: Error) => void,
): Promise<FollowedAlertSettings> {
  let settings: AlertSettings = DEFAULT_ALERT_SETTINGS;
  const refresh = async () => {
    settings = (await readAlertSettings(db)).settings;
  };
  await refresh();
  return { current: () => settings, refresh, close: every(REFRESH_MS, refresh, onTrouble) };
}

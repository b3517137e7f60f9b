// The settings of alerts and cases in force: those that come with the program until somebody has changed them.
import { checkAlertSettings } from '../../alerts/check-settings.ts';
import { type AlertSettings, DEFAULT_ALERT_SETTINGS } from '../../alerts/settings.ts';
import type { Act, Done, Tx } from '../alerts/act.ts';
import { type KeptSettings, readSettings, writeSettings } from './settings-row.ts';

const NAME = 'alerts';

export function readAlertSettings(db: Tx): Promise<KeptSettings<AlertSettings>> {
  return readSettings(db, NAME, DEFAULT_ALERT_SETTINGS);
}

/**
 * @param seen version that the change is made to
 * @returns the new version
 * @throws InputError SETTINGS_INVALID, VERSION_CONFLICT
 */
export async function changeAlertSettings(
  tx: Tx,
  settings: AlertSettings,
  reason: string,
  seen: number,
  act: Act,
): Promise<Done<KeptSettings<AlertSettings>>> {
  checkAlertSettings(settings);
  const { settings: before } = await readAlertSettings(tx);
  return await writeSettings(tx, NAME, { settings, before, after: settings }, reason, seen, act);
}

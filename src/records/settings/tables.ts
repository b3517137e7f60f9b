// The table of settings, as Kysely sees it.
import type { ColumnType } from 'kysely';
import type { AlertSettings } from '../../alerts/settings.ts';

export interface SettingsTables {
  settings: {
    name: 'alerts';
    /** Written as a JSON text, read as the object. */
    body: ColumnType<AlertSettings, string, string>;
    version: number;
    changed_ms: number;
    by_kind: string;
    by_id: string;
    by_name: string;
  };
}

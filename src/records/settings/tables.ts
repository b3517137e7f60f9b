// The table of settings, as Kysely sees it.
import type { ColumnType } from 'kysely';

export interface SettingsTables {
  settings: {
    name: 'alerts' | 'retention';
    /** Written as a JSON text, read as the object; whoever reads a name knows what it is. */
    body: ColumnType<object, string, string>;
    version: number;
    changed_ms: number;
    by_kind: string;
    by_id: string;
    by_name: string;
  };
}

// Two things that came together. Alerts and links that still have an address itself instead of its token are found without a
// look at all of them (records/alerts/addresses.ts). And a change of what decides may be of thresholds, with a model or alone.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0014-addresses-and-thresholds',
  statements: [
    `CREATE INDEX alerts_plain_address ON alerts (id)
      WHERE ip_address IS NOT NULL AND NOT starts_with(ip_address, 'ip_')`,
    `CREATE INDEX case_keys_plain_address ON case_keys (key)
      WHERE starts_with(key, 'ip:') AND NOT starts_with(key, 'ip:ip_')`,
    'ALTER TABLE model_changes ADD COLUMN sets_model boolean NOT NULL DEFAULT true',
    'ALTER TABLE model_changes ADD COLUMN review_at_risk double precision',
    'ALTER TABLE model_changes ADD COLUMN hold_at_risk double precision',
    `ALTER TABLE model_changes ADD CONSTRAINT model_changes_thresholds
      CHECK ((review_at_risk IS NULL) = (hold_at_risk IS NULL) AND (sets_model OR model IS NOT NULL))`,
  ],
};

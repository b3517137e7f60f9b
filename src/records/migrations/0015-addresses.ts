// Finds, without a look at all of them, alerts and links that still have an address itself instead of its token
// (records/alerts/addresses.ts).
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0015-addresses',
  statements: [
    `CREATE INDEX alerts_plain_address ON alerts (id)
      WHERE ip_address IS NOT NULL AND NOT starts_with(ip_address, 'ip_')`,
    `CREATE INDEX case_keys_plain_address ON case_keys (key)
      WHERE starts_with(key, 'ip:') AND NOT starts_with(key, 'ip:ip_')`,
  ],
};

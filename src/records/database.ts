// The tables of all areas: what Kysely knows of the database.
import type { AlertsTables } from './alerts/tables.ts';
import type { AuditTables } from './audit/tables.ts';
import type { BookTables } from './books/tables.ts';
import type { HttpTables } from './http/tables.ts';
import type { IdentityTables } from './identity/tables.ts';
import type { KeyTables } from './keys/tables.ts';
import type { ModelTables } from './models/tables.ts';
import type { NotificationsTables } from './notifications/tables.ts';
import type { ReplayTables } from './replays/tables.ts';
import type { RetentionTables } from './retention/tables.ts';
import type { SettingsTables } from './settings/tables.ts';

export interface Database
  extends AlertsTables,
    AuditTables,
    BookTables,
    HttpTables,
    IdentityTables,
    KeyTables,
    ModelTables,
    NotificationsTables,
    ReplayTables,
    RetentionTables,
    SettingsTables {}

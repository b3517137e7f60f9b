// All migrations, in their order; each is applied once, and never changed afterwards.
import type { RecordMigration } from '../migrate.ts';
import { migration as audit } from './0002-audit.ts';
import { migration as identity } from './0003-identity.ts';
import { migration as keys } from './0004-keys.ts';
import { migration as alerts } from './0005-alerts.ts';
import { migration as notifications } from './0006-notifications.ts';
import { migration as http } from './0007-http.ts';
import { migration as books } from './0008-books.ts';
import { migration as replays } from './0009-replays.ts';
import { migration as settings } from './0010-settings.ts';
import { migration as models } from './0011-model-changes.ts';
import { migration as retention } from './0012-retention.ts';
import { migration as erasedTexts } from './0013-erased-texts.ts';
import { migration as addressesAndThresholds } from './0014-addresses-and-thresholds.ts';

export const MIGRATIONS: readonly RecordMigration[] = [
  ...[audit, identity, alerts, notifications, keys, http, books, replays, settings, models, retention],
  ...[erasedTexts, addressesAndThresholds],
];

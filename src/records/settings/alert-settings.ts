// The settings of alerts and cases in force: those that come with the program until somebody has changed them.
import { checkAlertSettings } from '../../alerts/check-settings.ts';
import { type AlertSettings, DEFAULT_ALERT_SETTINGS } from '../../alerts/settings.ts';
import type { JsonValue } from '../../audit/entry.ts';
import { type Act, auditDraft, byColumns, type Done, demandChanged, type Tx } from '../alerts/act.ts';

const NAME = 'alerts';

export interface KeptAlertSettings {
  readonly settings: AlertSettings;
  /** 0 before the first change. */
  readonly version: number;
  readonly changedMs: number | null;
  readonly changedBy: string | null;
}

export async function readAlertSettings(db: Tx): Promise<KeptAlertSettings> {
  const row = await db.selectFrom('settings').selectAll().where('name', '=', NAME).executeTakeFirst();
  if (row === undefined) return { settings: DEFAULT_ALERT_SETTINGS, version: 0, changedMs: null, changedBy: null };
  return { settings: row.body, version: row.version, changedMs: row.changed_ms, changedBy: row.by_name };
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
): Promise<Done<KeptAlertSettings>> {
  checkAlertSettings(settings);
  const before = await readAlertSettings(tx);
  const version = seen + 1;
  const row = { body: JSON.stringify(settings), version, changed_ms: act.atMs, ...byColumns(act) };
  const changed =
    seen === 0
      ? (
          await tx
            .insertInto('settings')
            .values({ name: NAME, ...row })
            .onConflict((conflict) => conflict.column('name').doNothing())
            .executeTakeFirst()
        ).numInsertedOrUpdatedRows
      : (
          await tx
            .updateTable('settings')
            .set(row)
            .where('name', '=', NAME)
            .where('version', '=', seen)
            .executeTakeFirst()
        ).numUpdatedRows;
  demandChanged(changed ?? 0n, 'settings', NAME);
  const detail = { reason, version, ...differencesOf(before.settings, settings) };
  return {
    result: { settings, version, changedMs: act.atMs, changedBy: act.by.name },
    audit: [auditDraft(act, 'settings.changed', { kind: 'settings', id: NAME }, detail)],
  };
}

/** By the paths of what differs: `grouping.cooldownMs`. A list counts as one value. */
function differencesOf(before: AlertSettings, after: AlertSettings) {
  const [old, now] = [leavesOf(before, ''), leavesOf(after, '')];
  const paths = [...new Set([...old.keys(), ...now.keys()])].filter(
    (path) => JSON.stringify(old.get(path)) !== JSON.stringify(now.get(path)),
  );
  const pick = (leaves: ReadonlyMap<string, JsonValue>) =>
    Object.fromEntries(paths.map((path) => [path, leaves.get(path) ?? null]));
  return { before: pick(old), after: pick(now) };
}

function leavesOf(value: object, prefix: string): Map<string, JsonValue> {
  return new Map(
    Object.entries(value).flatMap(([name, each]): (readonly [string, JsonValue])[] =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? [...leavesOf(each, `${prefix}${name}.`)]
        : [[`${prefix}${name}`, each as JsonValue]],
    ),
  );
}

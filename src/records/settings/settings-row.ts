// Settings by name: read, and changed by whoever has seen the version before; each change is in the audit with what it was and is.
import type { JsonValue } from '../../audit/entry.ts';
import { type Act, auditDraft, byColumns, type Done, demandChanged, type Tx } from '../alerts/act.ts';
import type { SettingsTables } from './tables.ts';

type SettingsName = SettingsTables['settings']['name'];

export interface KeptSettings<Settings> {
  readonly settings: Settings;
  /** 0 before the first change. */
  readonly version: number;
  readonly changedMs: number | null;
  readonly changedBy: string | null;
}

/** @param initial those that come with the program, until somebody has changed them */
export async function readSettings<Settings extends object>(
  db: Tx,
  name: SettingsName,
  initial: Settings,
): Promise<KeptSettings<Settings>> {
  const row = await db.selectFrom('settings').selectAll().where('name', '=', name).executeTakeFirst();
  if (row === undefined) return { settings: initial, version: 0, changedMs: null, changedBy: null };
  const { body, version, changed_ms: changedMs, by_name: changedBy } = row;
  return { settings: body as Settings, version, changedMs, changedBy };
}

export interface SettingsChange<Settings> {
  /** What is kept, checked by the caller. */
  readonly settings: Settings;
  /** What was in force, and what is from now on: the audit is told what differs. */
  readonly before: object;
  readonly after: object;
}

/**
 * @param seen version that the change is made to
 * @throws InputError VERSION_CONFLICT
 */
export async function writeSettings<Settings extends object>(
  tx: Tx,
  name: SettingsName,
  { settings, before, after }: SettingsChange<Settings>,
  reason: string,
  seen: number,
  act: Act,
): Promise<Done<KeptSettings<Settings>>> {
  const version = seen + 1;
  const row = { body: JSON.stringify(settings), version, changed_ms: act.atMs, ...byColumns(act) };
  const changed =
    seen === 0
      ? (
          await tx
            .insertInto('settings')
            .values({ name, ...row })
            .onConflict((conflict) => conflict.column('name').doNothing())
            .executeTakeFirst()
        ).numInsertedOrUpdatedRows
      : (
          await tx
            .updateTable('settings')
            .set(row)
            .where('name', '=', name)
            .where('version', '=', seen)
            .executeTakeFirst()
        ).numUpdatedRows;
  demandChanged(changed ?? 0n, 'settings', name);
  const detail = { reason, version, ...differencesOf(before, after) };
  return {
    result: { settings, version, changedMs: act.atMs, changedBy: act.by.name },
    audit: [auditDraft(act, 'settings.changed', { kind: 'settings', id: name }, detail)],
  };
}

/** By the paths of what differs: `grouping.cooldownMs`. A list counts as one value. */
function differencesOf(before: object, after: object) {
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

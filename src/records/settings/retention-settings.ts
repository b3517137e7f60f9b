// For how many months each class of records is kept: the table of privacy/retention-data.ts, changed as the bank has it.
import { type RetentionMonths, retentionMonths } from '../../privacy/retention.ts';
import type { Act, Done, Tx } from '../alerts/act.ts';
import { type KeptSettings, readSettings, writeSettings } from './settings-row.ts';

const NAME = 'retention';

/** Classes that differ from the table alone: what the table says may change with the program. */
type MonthChanges = Readonly<Record<string, number>>;

/** @throws InputError RETENTION_INVALID where a class may no longer be kept for so short: nothing is deleted by such a setting */
export async function readRetentionMonths(db: Tx): Promise<KeptSettings<RetentionMonths>> {
  const { settings, ...kept } = await readSettings<MonthChanges>(db, NAME, {});
  return { ...kept, settings: retentionMonths(settings) };
}

/**
 * @param wanted months by class; others stay as they are
 * @param seen version that the change is made to; left out: the one there is
 * @throws InputError RETENTION_INVALID, VERSION_CONFLICT
 */
export async function changeRetentionMonths(
  tx: Tx,
  wanted: MonthChanges,
  reason: string,
  act: Act,
  seen?: number,
): Promise<Done<KeptSettings<RetentionMonths>>> {
  const { settings: kept, version } = await readSettings<MonthChanges>(tx, NAME, {});
  const [before, after] = [retentionMonths(kept), retentionMonths({ ...kept, ...wanted })];
  const usual: MonthChanges = retentionMonths();
  const settings = Object.fromEntries(Object.entries(after).filter(([id, months]) => months !== usual[id]));
  const { result, audit } = await writeSettings(tx, NAME, { settings, before, after }, reason, seen ?? version, act);
  return { result: { ...result, settings: after }, audit };
}

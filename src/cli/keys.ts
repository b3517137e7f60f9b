// `keys`: which master keys wrap what the records need, and wrapping all of it anew under the current one.
import { masterKeyUses, noteMasterKeys, rewrapBatch } from '../records/keys/master-rotation.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { type Command, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { plainTable } from './plain-table.ts';
import { openPlacedRecords, RECORD_PLACE_OPTIONS } from './record-place.ts';

const COLUMNS = [
  { title: 'master key' },
  { title: 'since' },
  { title: 'replaced' },
  { title: "customers' keys", right: true },
  { title: 'secrets', right: true },
];

export const keysCommand: Command = {
  ...OUTLINES.keys,
  options: {
    data: RECORD_PLACE_OPTIONS.data,
    database: RECORD_PLACE_OPTIONS.database,
    'master-keys': MASTER_KEYS_OPTION,
  },
  async run([action], options, context) {
    if (action !== 'list' && action !== 'rewrap') {
      throw new UsageError(`keys: there is no '${action}'; there are list, rewrap`);
    }
    const masters = action === 'rewrap' ? await demandMasters(options) : null;
    const store = await openPlacedRecords(options, context);
    try {
      if (masters !== null) await noteMasterKeys(store, masters, context.nowMs());
      let rewrapped = 0;
      for (let isMore = masters !== null; isMore; ) {
        const done = await rewrapBatch(store, masters!);
        rewrapped += done.rewrapped;
        isMore = done.isMore;
      }
      const masterKeys = await masterKeyUses(store);
      if (options.json === true) {
        context.out(`${JSON.stringify({ masterKeys, ...(masters !== null && { rewrapped }) })}\n`);
        return;
      }
      if (masters !== null) context.out(`${rewrapped} keys are wrapped by ${masters.currentId} now.\n`);
      const timeOf = (ms: number | null) => (ms === null ? '' : limaTimestamp(ms));
      const rows = masterKeys.map(({ id, firstUsedMs, replacedMs, dataKeys, secrets }) => {
        return [id, timeOf(firstUsedMs), timeOf(replacedMs), String(dataKeys), String(secrets)];
      });
      context.out(plainTable(COLUMNS, rows));
    } finally {
      await store.close();
    }
  },
};

async function demandMasters(options: OptionValues) {
  const masters = await openGivenMasters(options);
  if (masters !== null) return masters;
  throw new UsageError('keys rewrap: give --master-keys NEW,OLD: the first wraps, all open');
}

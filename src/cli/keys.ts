// `keys`: which master keys wrap what the records need, wrapping all of it anew under the current one, and retiring one that
// nothing needs any more.
import { TOPIC_PLANS } from '../pipeline/stream/topics.ts';
import type { MasterKeys } from '../ports.ts';
import { auditDraft } from '../records/alerts/act.ts';
import { appendAudit, lockAudit } from '../records/audit/append.ts';
import { masterKeyUses, noteMasterKeys, retireMasterKey, rewrapBatch } from '../records/keys/master-rotation.ts';
import type { RecordStore } from '../records/record-store.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { BY_OPTIONS, type CommandAct, commandAct } from './command-act.ts';
import { OUTLINES } from './command-outlines.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { plainTable } from './plain-table.ts';
import { openPlacedRecords, RECORD_PLACE_OPTIONS } from './record-place.ts';

const COLUMNS = [
  { title: 'master key' },
  { title: 'since' },
  { title: 'replaced' },
  { title: 'retired' },
  { title: "customers' keys", right: true },
  { title: 'secrets', right: true },
];
const ACTIONS = ['list', 'rewrap', 'retire'];
/** Who rewraps where nobody says so: nothing is read or lost by it. */
const COMMAND_LINE = 'command line';
const DAY_MS = 86_400_000;
const LETTERS_DAYS = Math.ceil((TOPIC_PLANS['dead-letters'].retentionMs ?? 0) / DAY_MS);

export const keysCommand: Command = {
  ...OUTLINES.keys,
  options: {
    data: RECORD_PLACE_OPTIONS.data,
    database: RECORD_PLACE_OPTIONS.database,
    'master-keys': MASTER_KEYS_OPTION,
    by: BY_OPTIONS.by,
    reason: BY_OPTIONS.reason,
    'letters-kept': {
      ...{ type: 'number', value: 'DAYS', whole: true, minimum: 0, default: LETTERS_DAYS },
      help: 'retire: how long dead letters, which carry keys of their own, are kept in the log',
    },
  },
  async run([action, key], options, context) {
    if (!ACTIONS.includes(action))
      throw new UsageError(`keys: there is no '${action}'; there are ${ACTIONS.join(', ')}`);
    if ((key !== undefined) !== (action === 'retire')) {
      throw new UsageError(
        key === undefined
          ? "keys retire: which key? See 'centinela keys list'"
          : `keys ${action}: there is no KEY to give`,
      );
    }
    const masters = action === 'rewrap' ? await demandMasters(options) : null;
    const act = action === 'retire' ? commandAct('keys retire', options, context) : null;
    const rewrapAct =
      masters === null ? null : commandAct('keys rewrap', { ...options, by: options.by ?? COMMAND_LINE }, context);
    const store = await openPlacedRecords(options, context);
    try {
      const rewrapped = masters === null ? null : await rewrap(store, masters, rewrapAct!);
      if (act !== null) await retire(store, key, options, act);
      const more = { ...(rewrapped !== null && { rewrapped }), ...(act !== null && { retired: key }) };
      if (masters !== null && options.json !== true) {
        context.out(`${rewrapped} keys are wrapped by ${masters.currentId} now.\n`);
      }
      if (act !== null && options.json !== true)
        context.out(`${key} is retired: it may be taken away where it is kept.\n`);
      await tell(store, options, context, more);
    } finally {
      await store.close();
    }
  },
};

/** Audited before and after: one that is stopped in between has been begun. @returns how many keys were wrapped anew */
async function rewrap(store: RecordStore, masters: MasterKeys, { act, reason }: CommandAct): Promise<number> {
  const subject = { kind: 'master-key', id: masters.currentId };
  const record = (action: string, detail: { readonly rewrapped?: number; readonly reason?: string }) =>
    store.transact(async (tx) => {
      await lockAudit(tx);
      await appendAudit(tx, [auditDraft(act, action, subject, detail)]);
    });
  await noteMasterKeys(store, masters, act.atMs);
  await record('master-key.rewrap-begun', { reason });
  let rewrapped = 0;
  for (let isMore = true; isMore; ) {
    const done = await rewrapBatch(store, masters);
    rewrapped += done.rewrapped;
    isMore = done.isMore;
  }
  await record('master-key.rewrapped', { rewrapped });
  return rewrapped;
}

async function retire(
  store: RecordStore,
  id: string,
  options: OptionValues,
  { act, reason }: CommandAct,
): Promise<void> {
  const lettersKeptMs = (options['letters-kept'] as number) * DAY_MS;
  await store.transact(async (tx) => {
    await lockAudit(tx);
    await retireMasterKey(tx, { id, nowMs: act.atMs, lettersKeptMs });
    await appendAudit(tx, [auditDraft(act, 'master-key.retired', { kind: 'master-key', id }, { reason })]);
  });
}

async function tell(store: RecordStore, options: OptionValues, context: CommandContext, more: object): Promise<void> {
  const masterKeys = await masterKeyUses(store);
  if (options.json === true) {
    context.out(`${JSON.stringify({ masterKeys, ...more })}\n`);
    return;
  }
  const timeOf = (ms: number | null) => (ms === null ? '' : limaTimestamp(ms));
  const rows = masterKeys.map(({ id, firstUsedMs, replacedMs, retiredMs, dataKeys, secrets }) => {
    return [id, timeOf(firstUsedMs), timeOf(replacedMs), timeOf(retiredMs), String(dataKeys), String(secrets)];
  });
  context.out(plainTable(COLUMNS, rows));
}

async function demandMasters(options: OptionValues) {
  const masters = await openGivenMasters(options);
  if (masters !== null) return masters;
  throw new UsageError('keys rewrap: give --master-keys NEW,OLD: the first wraps, all open');
}

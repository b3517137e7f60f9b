// `audit`: for auditors and operators: is the trail what was written, its archive, the keys that sign it.
import { writeFile } from 'node:fs/promises';
import { pemOf } from '../audit/signing.ts';
import { InputError } from '../lib/errors.ts';
import { exportAudit, LEAST_ONLINE_DAYS, ONLINE_DAYS, pruneAudit } from '../records/audit/archive.ts';
import { signNewest } from '../records/audit/heads.ts';
import { listPublicKeys, openSigningKey, rotateSigningKey } from '../records/audit/keys.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { ACCEPT_LOSS_OPTIONS, acceptBookLoss } from './audit-accept-loss.ts';
import { REPLAY_OPTIONS, replay } from './audit-replay.ts';
import { VERIFY_OPTIONS, verify } from './audit-verify.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { openObjectStore } from './object-store.ts';
import { keyMakingOf, openPlacedRecords, RECORD_PLACE_OPTIONS } from './record-place.ts';

type Action = (options: OptionValues, context: CommandContext, file: string | undefined) => Promise<void>;

const DAY_MS = 86_400_000;
const ACTIONS: Readonly<Record<string, Action>> = {
  ...{ verify, export: exportOld, keys, replay },
  'accept-loss': acceptBookLoss,
};

export const auditCommand: Command = {
  ...OUTLINES.audit,
  options: {
    ...RECORD_PLACE_OPTIONS,
    archive: { type: 'text', value: 'PLACE', help: 'the archive: a folder, or s3://bucket/prefix' },
    ...VERIFY_OPTIONS,
    ...REPLAY_OPTIONS,
    ...ACCEPT_LOSS_OPTIONS,
    'older-than': {
      type: 'number',
      value: 'DAYS',
      whole: true,
      minimum: 1,
      help: 'export: entries that are older',
      default: 30,
    },
    prune: { type: 'flag', help: 'export: afterwards remove from the database what the verified archive has' },
    'online-days': {
      type: 'number',
      whole: true,
      minimum: LEAST_ONLINE_DAYS,
      help: 'export --prune: how long entries stay in the database',
      default: ONLINE_DAYS,
    },
    rotate: { type: 'flag', help: 'keys: a new key takes over, and the private half of the present one is destroyed' },
    out: { type: 'text', value: 'FILE', help: 'keys: write the public keys there, as PEM' },
  },
  async run([action, file], options, context) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new UsageError(`audit: there is no '${action}'; there are ${Object.keys(ACTIONS).join(', ')}`);
    }
    if (file !== undefined && action !== 'replay' && action !== 'accept-loss')
      throw new UsageError(`audit ${action}: there is no FILE to give`);
    await ACTIONS[action](options, context, file);
  },
};

async function exportOld(options: OptionValues, context: CommandContext): Promise<void> {
  if (typeof options.archive !== 'string') throw new UsageError('audit export: --archive PLACE is missing');
  const making = await keyMakingOf(options, context);
  const objects = openObjectStore(options.archive);
  const store = await openPlacedRecords(options, context);
  try {
    const nowMs = context.nowMs();
    const key = await openSigningKey(store, making);
    const beforeMs = nowMs - (options['older-than'] as number) * DAY_MS;
    const written = await exportAudit(store, objects, { beforeMs, nowMs, key });
    const onlineDays = options['online-days'] as number;
    const pruning = options.prune === true ? await pruneAudit(store, objects, { nowMs, onlineDays }) : null;
    await signNewest(store, key, nowMs);
    const parts = written.map(({ key: place, statement }) => {
      const { firstSequence, lastSequence, month } = statement;
      return { place, month, firstSequence, lastSequence };
    });
    const pruned = pruning?.kind === 'pruned' ? pruning.entries : 0;
    if (options.json === true) context.out(`${JSON.stringify({ parts, pruned })}\n`);
    else {
      for (const { place, firstSequence, lastSequence } of parts) {
        context.out(`${place}: entries ${firstSequence} to ${lastSequence}\n`);
      }
      if (parts.length === 0) context.out('There is nothing more to export.\n');
      if (pruning !== null) context.out(`${pruned} entries were removed from the database.\n`);
    }
    if (pruning?.kind === 'refused') {
      const [first] = pruning.report.breaks;
      const hint = "See 'centinela audit verify --archive'; nothing was removed from the database";
      throw new InputError('AUDIT_ARCHIVE_BROKEN', `The archive is not what was written: ${first.message}`, hint);
    }
  } finally {
    await store.close();
  }
}

async function keys(options: OptionValues, context: CommandContext): Promise<void> {
  const making = options.rotate === true ? await keyMakingOf(options, context) : null;
  const store = await openPlacedRecords(options, context);
  try {
    if (making !== null) await rotateSigningKey(store, making);
    const known = await listPublicKeys(store.db);
    const pem = known.map(({ publicKey }) => pemOf(publicKey)).join('');
    if (typeof options.out === 'string') await writeFile(options.out, pem);
    if (options.json === true) context.out(`${JSON.stringify({ keys: known })}\n`);
    else if (known.length === 0) context.out('There is no key yet: the service makes one when it starts.\n');
    else {
      for (const { keyId, addedMs } of known) context.out(`# ${keyId}, since ${limaTimestamp(addedMs)}\n`);
      context.out(pem);
    }
  } finally {
    await store.close();
  }
}

// `audit accept-loss`: the history of rules or lists was lost, and no copy is left. Says exactly what is gone; accepted, that is
// in the audit, and the service goes on from what there is.
import { acceptLoss, type BookLoss, findLoss } from '../jobs/books/accept-loss.ts';
import { InputError } from '../lib/errors.ts';
import { Scrubber } from '../privacy/scrubber.ts';
import { lockAudit } from '../records/audit/append.ts';
import type { BookName } from '../records/books/audited.ts';
import { lossStores } from '../roles/service/books.ts';
import { openVault } from '../roles/service/vault.ts';
import { createLogger } from '../telemetry/logger.ts';
import { mastersOf } from './audit-replay.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { openObjectStore } from './object-store.ts';
import { openPlacedRecords } from './record-place.ts';

export const ACCEPT_LOSS_OPTIONS = {
  keep: {
    type: 'number',
    value: 'N',
    whole: true,
    minimum: 0,
    help: 'accept-loss: how many entries are left, as it was told without this option: then the loss is accepted',
  },
  by: { type: 'text', value: 'NAME', help: 'accept-loss: who accepts it' },
  reason: { type: 'text', help: 'accept-loss: why, without names or numbers of customers' },
} as const satisfies Record<string, OptionSpec>;

const BOOKS = ['rules', 'lists'] as const satisfies readonly BookName[];
const MOST_NAME = 100;
const MOST_REASON = 1000;

export async function acceptBookLoss(
  options: OptionValues,
  context: CommandContext,
  what: string | undefined,
): Promise<void> {
  const book = BOOKS.find((each) => each === what);
  if (book === undefined) throw new UsageError(`audit accept-loss: of what? Give ${BOOKS.join(' or ')}`);
  const masters = await mastersOf('audit accept-loss', options);
  const registry = openObjectStore(options.registry as string);
  const records = await openPlacedRecords(options, context);
  try {
    const vault = await openVault({
      ...{ records, masters, provider: null, nowMs: context.nowMs },
      logger: createLogger('warn', context.log),
    });
    try {
      const parts = { records, book, ...lossStores({ store: registry }, vault, book) };
      const loss = await findLoss(parts);
      const act = loss === null ? null : actOf(loss, options);
      if (loss !== null && act !== null) {
        const record = vault.trail.append.bind(vault.trail);
        await acceptLoss(parts, loss, { ...act, atMs: context.nowMs(), begin: lockAudit, record });
      }
      if (options.json === true) context.out(`${JSON.stringify({ book, loss, isAccepted: act !== null })}\n`);
      else context.out(loss === null ? `Nothing of the history of ${book} is lost.\n` : told(loss, act !== null));
    } finally {
      await vault.close();
    }
  } finally {
    await records.close();
  }
}

/** null where it is only to be told. */
function actOf(
  loss: BookLoss,
  { keep, by, reason }: OptionValues,
): { readonly by: string; readonly why: string } | null {
  if (keep === undefined) return null;
  const left = leftOf(loss);
  if (keep !== left) {
    throw new InputError(
      'LOSS_OTHER',
      `${left} entries are left, and not ${keep}`,
      'Read again what would be accepted',
    );
  }
  return {
    by: said('--by NAME', by, MOST_NAME),
    why: new Scrubber().scrub(said('--reason TEXT', reason, MOST_REASON)),
  };
}

function said(option: string, value: OptionValues[string], most: number): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.length <= most) return text;
  throw new UsageError(`audit accept-loss: ${option} is missing, or has more than ${most} characters`);
}

function leftOf({ kept, unseen }: BookLoss): number {
  return kept.number + unseen;
}

function told(loss: BookLoss, isAccepted: boolean): string {
  const { book, audited, kept, unseen, lost, loose } = loss;
  const numbers = lost.map(({ entry }) => entry);
  const which = numbers.length === 0 ? '' : ` (${numbers[0]} to ${numbers.at(-1)})`;
  const lines = [
    `The audit knows the ${book} up to entry ${audited.number}; their history has ${leftOf(loss)} entries that follow each other.`,
    `Lost: ${lost.length} entries${which}. What the audit says of them stays.`,
    `Kept: ${kept.number} entries that the audit knows, and ${unseen} that it does not: those come into it as new ones.`,
    `Set aside, under ${book}/lost-history: ${loose.length} objects that do not follow.`,
    isAccepted
      ? 'The loss is accepted, and in the audit. Start the service.'
      : `Restore a copy if there is one. Otherwise stop the service, and repeat with --keep ${leftOf(loss)} --by NAME --reason TEXT.`,
  ];
  return `${lines.join('\n')}\n`;
}

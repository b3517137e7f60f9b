// What may be deleted when: a plan, made of what there is, how long its class is kept and who is under a legal hold. Pure: whoever
// carries it out deletes what it says and writes the plan to the audit, which makes the deletion provable.
import { civilOf, dayNumberOf, limaDayNumber, startOfLimaDayMs } from '../domain/calendar.ts';
import { InputError } from '../lib/errors.ts';
import {
  RETENTION_CLASS_IDS,
  RETENTION_CLASSES,
  type RetentionClass,
  type RetentionClassId,
} from './retention-data.ts';
import type { SubjectToken } from './tokens.ts';

/** Months by class. */
export type RetentionMonths = Readonly<Record<RetentionClassId, number>>;

/** A row, a file or a partition: what is deleted as one. */
export interface RetentionItem {
  readonly classId: RetentionClassId;
  readonly id: string;
  /** When the newest of it was created or closed, or the relation with the customer ended; null: it is still open. */
  readonly newestMs: number | null;
  /** Whose it is; null where that is not known, as of a partition: then any hold keeps it. */
  readonly subjects: readonly SubjectToken[] | null;
}

export type Retained =
  | { readonly item: RetentionItem; readonly because: 'open' }
  | { readonly item: RetentionItem; readonly because: 'kept'; readonly untilMs: number }
  | { readonly item: RetentionItem; readonly because: 'held'; readonly subject: SubjectToken | null };

export interface DeletionPlan {
  readonly atMs: number;
  readonly deletions: readonly RetentionItem[];
  readonly retained: readonly Retained[];
}

export const MOST_MONTHS = 1200;
/** By which months differ in length. */
const MOST_DAYS_APART = 3;

/**
 * Those of the table, changed as the bank has it.
 *
 * @throws InputError RETENTION_INVALID where a class is unknown or would be kept for too short
 */
export function retentionMonths(changes: Readonly<Record<string, number>> = {}): RetentionMonths {
  const months = Object.fromEntries(Object.values(RETENTION_CLASSES).map((each) => [each.id, each.months])) as Record<
    RetentionClassId,
    number
  >;
  for (const [id, wanted] of Object.entries(changes)) {
    const known: RetentionClass | undefined = Object.hasOwn(RETENTION_CLASSES, id)
      ? RETENTION_CLASSES[id as RetentionClassId]
      : undefined;
    if (known === undefined) {
      throw invalid(`There is no class of records ${id.slice(0, 40)}`, `They are ${RETENTION_CLASS_IDS.join(', ')}`);
    }
    const least = Math.max(1, known.leastMonths);
    if (!Number.isInteger(wanted) || wanted < least || wanted > MOST_MONTHS) {
      throw invalid(`${id} cannot be kept for ${wanted} months`, `Give ${least} to ${MOST_MONTHS} (${known.basis})`);
    }
    months[known.id] = wanted;
  }
  return months;
}

/** Until when it is kept: the end of the day in Lima so many months later. @param newestMs as in RetentionItem */
export function keptUntil(classId: RetentionClassId, newestMs: number, months: RetentionMonths): number {
  return startOfLimaDayMs(addMonths(limaDayNumber(newestMs), months[classId]) + 1);
}

/** The other way round: what ended before this moment, ms UTC, need not be kept any longer at `nowMs`. */
export function endedBefore(classId: RetentionClassId, nowMs: number, months: RetentionMonths): number {
  const today = limaDayNumber(nowMs);
  // The last days of a long month are kept until the same day as the last of a shorter one.
  let day = addMonths(today, -months[classId]) + MOST_DAYS_APART;
  while (addMonths(day, months[classId]) >= today) day--;
  return startOfLimaDayMs(day + 1);
}

/**
 * @param held subjects under a legal hold that is in force
 * @returns deletions and what stays, each in the order of the items
 */
export function planDeletions(
  items: Iterable<RetentionItem>,
  held: ReadonlySet<SubjectToken>,
  months: RetentionMonths,
  nowMs: number,
): DeletionPlan {
  const deletions: RetentionItem[] = [];
  const retained: Retained[] = [];
  for (const item of items) {
    const stays = whyRetained(item, held, months, nowMs);
    if (stays === null) deletions.push(item);
    else retained.push(stays);
  }
  return { atMs: nowMs, deletions, retained };
}

/** null where it may be deleted. */
function whyRetained(
  item: RetentionItem,
  held: ReadonlySet<SubjectToken>,
  months: RetentionMonths,
  nowMs: number,
): Retained | null {
  const { classId, newestMs, subjects } = item;
  if (newestMs === null) return { item, because: 'open' };
  const untilMs = keptUntil(classId, newestMs, months);
  if (nowMs < untilMs) return { item, because: 'kept', untilMs };
  if (!RETENTION_CLASSES[classId].isHeld || held.size === 0) return null;
  if (subjects === null) return { item, because: 'held', subject: null };
  const subject = subjects.find((each) => held.has(each));
  return subject === undefined ? null : { item, because: 'held', subject };
}

/** The same day so many months later, or the last of that month. */
function addMonths(dayNumber: number, months: number): number {
  const { year, month, day } = civilOf(dayNumber);
  const index = year * 12 + (month - 1) + months;
  const [toYear, toMonth] = [Math.floor(index / 12), (index % 12) + 1];
  const nextMonth = toMonth === 12 ? dayNumberOf(toYear + 1, 1, 1) : dayNumberOf(toYear, toMonth + 1, 1);
  return Math.min(dayNumberOf(toYear, toMonth, 1) + day - 1, nextMonth - 1);
}

function invalid(problem: string, hint: string): InputError {
  return new InputError('RETENTION_INVALID', problem, hint);
}

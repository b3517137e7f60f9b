// A legal hold: an authority asks that what is kept of somebody stays (an open case, a lifted bank secrecy, Ley 26702
// arts. 140–143). While one is in force the subject's keys are not destroyed and its records not deleted.
import { InputError } from '../lib/errors.ts';
import type { SubjectToken } from './tokens.ts';

export interface LegalHold {
  readonly id: string;
  readonly subject: SubjectToken;
  /** Who asks: a court, the public prosecutor, UIF-Perú … */
  readonly authority: string;
  readonly actNumber: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedMs: number;
  /** null: until it is lifted. */
  readonly untilMs: number | null;
  readonly lifted: { readonly by: string; readonly atMs: number; readonly reason: string } | null;
  readonly version: number;
}

export type LegalHoldDraft = Pick<
  LegalHold,
  'id' | 'subject' | 'authority' | 'actNumber' | 'reason' | 'placedBy' | 'placedMs' | 'untilMs'
>;

const MOST_NAME = 200;
const MOST_REASON = 2000;

/** @throws InputError HOLD_INVALID */
export function checkHold({ authority, actNumber, reason, placedMs, untilMs }: LegalHoldDraft): void {
  needText('the authority', authority, MOST_NAME);
  needText('the number of the act', actNumber, MOST_NAME);
  needText('the reason', reason, MOST_REASON);
  if (untilMs !== null && untilMs <= placedMs) {
    throw new InputError('HOLD_INVALID', 'The hold would end before it begins', 'Give a later time, or none');
  }
}

/** @throws InputError HOLD_INVALID */
export function needText(what: string, text: string, mostLength: number, code = 'HOLD_INVALID'): void {
  if (text.trim() !== '' && text.length <= mostLength && !text.includes('\0')) return;
  throw new InputError(code, `${what} is missing or longer than ${mostLength} characters`, 'Say it in words');
}

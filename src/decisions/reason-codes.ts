// Every code that a decision or a finding may carry, with its texts. Data only.
//
// `es`/`en` are for the analyst; `customerEs`/`customerEn` may be read by the customer: they say what was noticed
// without naming a rule, a threshold or a suspicion (no tipping-off). `regulation` points to docs/domain.md.
import { REASONS_OF_BEHAVIOUR } from './reasons-of-behaviour.ts';
import { REASONS_OF_QUALITY } from './reasons-of-quality.ts';

export interface ReasonText {
  readonly code: string;
  readonly es: string;
  readonly en: string;
  readonly customerEs: string;
  readonly customerEn: string;
  /** The rule of docs/domain.md (R1–R18) that asks for it, or null. */
  readonly regulation: string | null;
}

const ROWS = [...REASONS_OF_BEHAVIOUR, ...REASONS_OF_QUALITY] as const;

export type ReasonCode = (typeof ROWS)[number][0];

/** Every code with its texts, behaviour first, then data quality. */
export const REASON_CODES: Readonly<Record<ReasonCode, ReasonText>> = Object.freeze(
  Object.fromEntries(
    ROWS.map(([code, es, en, customerEs, customerEn, regulation]) => [
      code,
      { code, es, en, customerEs, customerEn, regulation },
    ]),
  ) as Record<ReasonCode, ReasonText>,
);

/** The texts of a code, or null for a code that is not in the table (from a newer file, say). */
export function reasonText(code: string): ReasonText | null {
  return Object.hasOwn(REASON_CODES, code) ? REASON_CODES[code as ReasonCode] : null;
}

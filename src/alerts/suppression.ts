// Suppressions: for a while one entity's alerts of one kind are known to be false, because somebody looked.
//
// What is suppressed is kept, counted and seen; nothing is thrown away. A suppression ends by itself, at the latest after 90 days,
// so that nobody's mistake lasts. It takes protection away, so a reason is compulsory.
import { InputError } from '../lib/errors.ts';
import type { AlertRecord } from './alert-record.ts';
import { isTypology } from './typology.ts';

export const SUPPRESSED_ENTITIES = ['customer', 'payee', 'device'] as const;
export type SuppressedEntity = (typeof SUPPRESSED_ENTITIES)[number];

export interface SuppressionScope {
  readonly entity: SuppressedEntity;
  readonly entityId: string;
  /** A typology, or a rule without its version: exactly one of them. */
  readonly typology: string | null;
  readonly ruleId: string | null;
}

export interface Suppression extends SuppressionScope {
  readonly id: string;
  readonly fromMs: number;
  /** Counts for events before it. */
  readonly untilMs: number;
}

const DAY_MS = 86_400_000;
export const MOST_SUPPRESSION_DAYS = 90;
const LEAST_REASON = 10;
export const MOST_REASON = 2_000;

/** @throws InputError where the scope, the reason or the end is not allowed */
export function checkSuppression(scope: SuppressionScope, untilMs: number, reason: string, nowMs: number): void {
  if ((scope.typology === null) === (scope.ruleId === null)) {
    const what = 'A suppression is of one typology or of one rule';
    throw new InputError('SUPPRESSION_SCOPE', what, 'Give exactly one of them');
  }
  if (scope.typology !== null && !isTypology(scope.typology)) {
    throw new InputError(
      'TYPOLOGY_UNKNOWN',
      `There is no typology '${scope.typology}'`,
      'Use F01–F20, E01–E15 or other',
    );
  }
  demandReason(reason);
  if (untilMs <= nowMs || untilMs > nowMs + MOST_SUPPRESSION_DAYS * DAY_MS) {
    const what = untilMs <= nowMs ? 'is in the past' : `is more than ${MOST_SUPPRESSION_DAYS} days away`;
    throw new InputError('UNTIL_INVALID', `The end ${what}`, `Choose one within ${MOST_SUPPRESSION_DAYS} days`);
  }
}

/** @throws InputError where nobody could tell later why it was done */
export function demandReason(reason: string): void {
  const { length } = reason.trim();
  if (length < LEAST_REASON) {
    throw new InputError('REASON_MISSING', 'It is not said why', `Give the reason in ${LEAST_REASON} letters or more`);
  }
  if (length > MOST_REASON) {
    throw new InputError('REASON_TOO_LONG', `The reason has ${length} letters`, `At most ${MOST_REASON} are kept`);
  }
}

/** The entities of a record that suppressions may speak of, as `entity:id`. */
export function suppressionKeys(record: AlertRecord): readonly string[] {
  const ids = [record.customerId, record.payeeId, record.deviceId];
  return SUPPRESSED_ENTITIES.flatMap((entity, at) => (ids[at] === null ? [] : [`${entity}:${ids[at]}`]));
}

/**
 * The suppression that an alert falls under; of several the first by id. A rule's suppression counts where no other rule had
 * a say: what a second rule saw was not looked at.
 */
export function suppressionOf(
  record: AlertRecord,
  typology: string,
  suppressions: readonly Suppression[],
): Suppression | null {
  const keys = suppressionKeys(record);
  const rules = new Set(record.rules.map((rule) => rule.split('@')[0]));
  const found = suppressions.filter(
    (each) =>
      keys.includes(`${each.entity}:${each.entityId}`) &&
      record.eventTimeMs >= each.fromMs &&
      record.eventTimeMs < each.untilMs &&
      (each.typology !== null ? each.typology === typology : rules.size === 1 && rules.has(each.ruleId!)),
  );
  return found.sort((a, b) => (a.id < b.id ? -1 : 1))[0] ?? null;
}

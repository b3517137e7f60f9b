// How bad an alert is, and what is looked at first.
//
// Points from what would have been done, how sure the model is and how much money it is about; an operation after the customer
// asked for a block is always critical (Res. SBS 6523-2013: the bank bears it). The table is small on purpose: an analyst can
// work it out in the head.
import { exactLog } from '../lib/exact-math.ts';
import type { RuleAction, Severity } from '../rules/rule.ts';
import type { AlertRecord } from './alert-record.ts';

export { SEVERITIES, type Severity } from '../rules/rule.ts';

export interface SeveritySettings {
  /** A risk from which one point, and two, are given. */
  readonly highRisk: number;
  readonly veryHighRisk: number;
  /** Amounts from which one point, and two, are given, céntimos of soles. */
  readonly largeAmountMinor: number;
  readonly veryLargeAmountMinor: number;
}

export const DEFAULT_SEVERITY: SeveritySettings = {
  ...{ highRisk: 0.5, veryHighRisk: 0.9 },
  ...{ largeAmountMinor: 500_000, veryLargeAmountMinor: 3_000_000 },
};

const POINTS_OF_ACTION: Readonly<Record<RuleAction, number>> = {
  approve: 0,
  review: 0,
  challenge: 1,
  hold: 1,
  decline: 2,
};
const ALWAYS_CRITICAL = 'OPERACION_POST_BLOQUEO';
const RANKS: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2, critical: 3 };

export function severityOf(
  record: Pick<AlertRecord, 'intended' | 'risk' | 'solesMinor' | 'reasons'>,
  settings: SeveritySettings = DEFAULT_SEVERITY,
): Severity {
  if (record.reasons.some(({ code }) => code === ALWAYS_CRITICAL)) return 'critical';
  const points =
    POINTS_OF_ACTION[record.intended] +
    pointsFrom(record.risk, settings.highRisk, settings.veryHighRisk) +
    pointsFrom(record.solesMinor, settings.largeAmountMinor, settings.veryLargeAmountMinor);
  if (points === 0) return 'low';
  return points <= 2 ? 'medium' : points <= 4 ? 'high' : 'critical';
}

function pointsFrom(value: number | null, one: number, two: number): number {
  if (value === null || value < one) return 0;
  return value < two ? 1 : 2;
}

export function severityRank(severity: Severity): number {
  return RANKS[severity];
}

export function severest(a: Severity, b: Severity): Severity {
  return RANKS[b] > RANKS[a] ? b : a;
}

/** What waits this long weighs twice as much. */
export const PRIORITY_DOUBLES_MS = 4 * 3_600_000;
/** For an alert without a model's risk. */
const RISK_UNKNOWN = 0.5;

/**
 * Expected loss × risk × age, as a number by which a queue is sorted once and for all: the weight of waiting doubles every four
 * hours for everybody, so of two alerts the one that comes first now comes first at any time, and an index can hold the order.
 * It is the logarithm (base 2) of the weight at the epoch, of exact arithmetic because it is kept.
 *
 * @param lossMinor what may be lost, céntimos of soles
 */
export function priorityOf(severity: Severity, lossMinor: number, risk: number | null, createdMs: number): number {
  const soles = 1 + Math.max(0, lossMinor) / 100;
  const weight = soles * Math.max(0.01, risk ?? RISK_UNKNOWN);
  return 2 * RANKS[severity] + exactLog(weight) / Math.LN2 - createdMs / PRIORITY_DOUBLES_MS;
}

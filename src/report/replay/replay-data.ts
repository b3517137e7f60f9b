// What the page of a replay shows, as plain data: two versions of the decision over the same history.
import type { GovernorAlert, GovernorSignal } from '../../decisions/governor-alert.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import type { BootstrapUnit } from '../../decisions/worth/bootstrap.ts';
import type { ComparisonResult } from '../../decisions/worth/comparison.ts';
import type { RuleRecord } from '../../decisions/worth/rule-ledger.ts';
import type { RuleAction } from '../../rules/rule.ts';
import type { Bilingual } from '../report-data.ts';

export const CHANGES = ['appears', 'disappears'] as const;
export type Change = (typeof CHANGES)[number];
export const LABELS = ['fraud', 'genuine', 'unknown'] as const;
export type LabelKind = (typeof LABELS)[number];

export interface ChangedAlert {
  readonly id: string;
  readonly timeMs: number;
  readonly customer: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** Céntimos of soles, NaN where it is not known. */
  readonly worthMinor: number;
  readonly typology: string | null;
  readonly live: RuleAction;
  readonly candidate: RuleAction;
  /** Of the version that raises the alert: the rules with a say, and the model's risk. */
  readonly rules: readonly string[];
  readonly risk: number | null;
  readonly reasons: readonly Bilingual[];
  /** What the first rule's condition looked at. */
  readonly values: readonly { readonly name: string; readonly value: string }[];
}

/** Alerts that only one of the versions raises. */
export interface ChangedAlerts {
  readonly change: Change;
  readonly label: LabelKind;
  readonly count: number;
  readonly worthMinor: number;
  /** By worth, the greatest first. */
  readonly examples: readonly ChangedAlert[];
}

export type RuleChange = 'new' | 'removed' | 'changed' | 'same';

export interface ReplayedRule {
  readonly change: RuleChange;
  /** The candidate's; of a removed rule the live one's. */
  readonly record: RuleRecord;
}

/** While it lasted nothing severer than the fallback would have been done; in a silence (`cause`) nothing changed. */
export interface GovernorEpisode {
  readonly fromMs: number;
  /** null: it lasted to the end */
  readonly untilMs: number | null;
  readonly cause: GovernorSignal;
  /** With the figures. */
  readonly began: GovernorAlert;
  /** null where `untilMs` is */
  readonly ended: GovernorAlert | null;
}

export interface ReplayData {
  readonly comparison: ComparisonResult;
  readonly changes: readonly ChangedAlerts[];
  /** Alerts of both versions with another action. */
  readonly otherAction: number;
  readonly rules: readonly ReplayedRule[];
  readonly governor: { readonly live: readonly GovernorEpisode[]; readonly candidate: readonly GovernorEpisode[] };
  readonly features: number;
  /** First and last event time that was counted; null where there was none. */
  readonly periodMs: readonly [number, number] | null;
}

/** How it was run. */
export interface ReplayRun {
  readonly fileName: string;
  readonly liveName: string;
  readonly candidateName: string;
  readonly analysts: number;
  readonly costs: DecisionCosts;
  readonly unit: BootstrapUnit;
  readonly seed: number;
  readonly seconds: number;
  readonly memoryMb: number;
  readonly version: string;
  readonly createdMs: number;
  readonly utcOffsetMinutes: number;
}

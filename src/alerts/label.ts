// What a transaction turned out to be, who says so, and whose word counts.
//
// The newest word of a person with authority wins; a claim, the customer's answer to "¿fuiste tú?" and a rule count only as long
// as nobody has looked. What was said before is kept. The weight is what training gives to the label.
import type { LabelRecord } from '../domain/stream-records.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { CaseState } from './case-life.ts';

export const OUTCOMES = ['fraud', 'genuine', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** From the weakest to the strongest. */
export const LABEL_SOURCES = ['rule', 'customer', 'claim', 'analyst'] as const;
export type LabelSource = (typeof LABEL_SOURCES)[number];

/** A customer may err or lie about the own purchase (F20); a rule is what the model is to do better than. */
export const WEIGHT_OF_SOURCE: Readonly<Record<LabelSource, number>> = {
  ...{ rule: 0.3, customer: 0.8, claim: 0.9, analyst: 1 },
};

export interface Label {
  readonly id: string;
  readonly transactionId: string;
  readonly outcome: Outcome;
  /** null where the kind is not known, or there is none. */
  readonly typology: string | null;
  readonly source: LabelSource;
  readonly atMs: number;
}

/** Whether a label counts instead of another one of the same transaction. */
export function outweighs(a: Pick<Label, 'id' | 'source' | 'atMs'>, b: Pick<Label, 'id' | 'source' | 'atMs'>): boolean {
  const rank = (source: LabelSource) => LABEL_SOURCES.indexOf(source);
  if (rank(a.source) !== rank(b.source)) return rank(a.source) > rank(b.source);
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.id > b.id);
}

export function winningLabel<Row extends Pick<Label, 'id' | 'source' | 'atMs'>>(labels: readonly Row[]): Row | null {
  return labels.reduce<Row | null>((best, label) => (best === null || outweighs(label, best) ? label : best), null);
}

export function outcomeOfState(state: CaseState): Outcome | null {
  if (state === 'closed-fraud') return 'fraud';
  if (state === 'closed-genuine') return 'genuine';
  return state === 'closed-error' ? 'error' : null;
}

/** "¿Fuiste tú?": what the customer says about a transaction. */
export const CHALLENGE_ANSWERS = ['it-was-me', 'it-was-not-me'] as const;
export type ChallengeAnswer = (typeof CHALLENGE_ANSWERS)[number];

export function outcomeOfAnswer(answer: ChallengeAnswer): Outcome {
  return answer === 'it-was-me' ? 'genuine' : 'fraud';
}

/** For the stream's topic `labels`: true is fraud or error. */
export function labelRecordOf(
  transaction: Transaction,
  label: Pick<Label, 'outcome' | 'typology' | 'atMs'>,
): LabelRecord {
  const isFraud = label.outcome !== 'genuine';
  return { transaction: { ...transaction, isFraud, typology: label.typology, labelTimeMs: label.atMs }, isFraud };
}

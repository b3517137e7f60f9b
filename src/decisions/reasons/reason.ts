// What a reason is: one thing an analyst can check, with its share in the score.

export interface Reason {
  /** A code of reason-codes.ts. */
  readonly code: string;
  /** Ids of the features that speak for it, strongest first. */
  readonly features: readonly string[];
  /** Its share of the positive contributions, 0..1. */
  readonly weight: number;
  readonly es: string;
  readonly en: string;
}

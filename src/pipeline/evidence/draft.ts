// What the evidence of a decision is made of while the row's features and scores are at hand, and who makes it: after the
// fold, for what is sealed may have to be waited for.
import type { EvidenceInput, KeptEvidence } from './evidence.ts';

/** `version` and `severest` as they were when the row was decided. */
export interface EvidenceDraft
  extends Pick<
    EvidenceInput,
    'row' | 'batch' | 'index' | 'decision' | 'version' | 'definitions' | 'severest' | 'leftOut' | 'wording'
  > {
  /** `name@version`; null without a model. */
  readonly model: string | null;
}

/** @throws StreamUnavailableError where a key or a hash is not to be had now: the decision waits with it */
export type EvidencePacker = (draft: EvidenceDraft, at: EvidenceInput['at']) => Promise<KeptEvidence>;

/** Of which decisions evidence is kept: those that are alerts, or all. */
export type EvidenceWish = 'alerts' | 'all';

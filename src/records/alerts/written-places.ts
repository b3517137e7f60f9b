// Where texts that people wrote about alerts and cases are kept: for what row and field each is sealed. It opens there alone.
import type { SealedPlace } from '../../privacy/envelope.ts';

export type WrittenField =
  | ('case_history.reason' | 'case_requests.reason' | 'case_requests.comment' | 'case_relations.note' | 'labels.note')
  | ('alert_suppressions.reason' | 'alert_suppressions.ended_reason');

export function writtenPlace(written: WrittenField, row: string): SealedPlace {
  const [table, field] = written.split('.');
  return { table, row, field };
}

/** A relation has no id of its own. */
export function relationRow(relation: {
  readonly from_id: string;
  readonly to_id: string;
  readonly kind: string;
  readonly is_confidential: boolean;
}): string {
  const { from_id, to_id, kind, is_confidential } = relation;
  return JSON.stringify([from_id, to_id, kind, is_confidential]);
}

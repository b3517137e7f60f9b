// What became of a message, from what was answered: by the status alone, as HTTP means it (RFC 9110 §15).
import type { DeliveryOutcome } from '../../ports.ts';
import type { PostAnswer } from './guarded-post.ts';

/** Of 4xx these pass: the time was over, a conflict, too early, too many. */
const PASSING = new Set([408, 409, 425, 429]);
/**
 * Whoever puts these right expects what waited to come: an address that does not exist yet, a token that is being changed.
 * They are tried as often as an outage.
 */
const PUT_RIGHT = new Set([401, 403, 404]);

/** Redirects are refusals: where they lead was not judged, and a signature is not for others. */
export function outcomeOf(answer: PostAnswer): DeliveryOutcome {
  if (answer.kind === 'forbidden') return { kind: 'refused', reason: answer.reason };
  if (answer.kind === 'failed') return { kind: 'retry', reason: answer.reason, afterMs: null };
  const { status, retryAfterMs: afterMs } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `HTTP ${status}`;
  if (status >= 500 || PASSING.has(status) || PUT_RIGHT.has(status)) return { kind: 'retry', reason, afterMs };
  return { kind: 'refused', reason };
}

// When a message that could not be delivered is tried again: exponential back-off with jitter.
//
// Half of the pause is fixed and half is drawn ("equal jitter"), so that messages that failed together do not come back
// together; the draw depends on the message and the attempt alone, so that the same history has the same times.
import { crc32c } from '../lib/crc32c.ts';
import { createPrng } from '../lib/prng.ts';
import type { RetrySettings } from './settings.ts';

/**
 * @param attempt the one that failed, from 1
 * @param askedMs what the receiver asked to wait; null where it did not say. Never longer than `mostMs` is waited.
 */
export function retryAfterMs(retry: RetrySettings, messageId: string, attempt: number, askedMs: number | null): number {
  const fullMs = Math.min(retry.mostMs, retry.firstMs * 2 ** Math.min(attempt - 1, 40));
  const draw = createPrng(crc32c(new TextEncoder().encode(`${messageId}/${attempt}`))).nextFloat();
  const pauseMs = Math.round(fullMs / 2 + (fullMs / 2) * draw);
  return Math.min(retry.mostMs, Math.max(pauseMs, askedMs ?? 0));
}

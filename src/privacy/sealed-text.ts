// What people write, sealed where it is kept: comments of cases and names of files may name anybody. The key is one of
// Centinela's own (vault.secret), at hand for as long as the service runs, so that sealing waits for nothing, not even in a
// transaction. What was written before there was sealing is read as it is.
import { createHash } from 'node:crypto';
import { type DataKey, dataKey, KEY_ID_BYTES, openBytes, type SealedPlace, sealBytes } from './envelope.ts';

export interface TextSealing {
  seal(text: string, place: SealedPlace): string;
  /** @throws EnvelopeError where it was changed, or is of another row */
  open(kept: string, place: SealedPlace): string;
}

const MARK = 'sealed:';

/** @param secret 32 bytes, always the same; they are overwritten with zeros */
export function createTextSealing(secret: Uint8Array): TextSealing {
  const id = createHash('sha256')
    .update('centinela/text-key')
    .update(secret)
    .digest('hex')
    .slice(0, 2 * KEY_ID_BYTES);
  const key: DataKey = dataKey(id, secret, 0);
  return {
    seal: (text, place) => MARK + Buffer.from(sealBytes(key, Buffer.from(text), place)).toString('base64'),
    open(kept, place) {
      if (!kept.startsWith(MARK)) return kept;
      return Buffer.from(openBytes(key, Buffer.from(kept.slice(MARK.length), 'base64'), place)).toString('utf8');
    },
  };
}

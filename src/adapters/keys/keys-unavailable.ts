/** The service of master keys does not answer; the same call may succeed later. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly code = 'KEYS_UNAVAILABLE';
}

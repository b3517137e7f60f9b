// Errors made for people: what is wrong, where, and what to do. The command line prints the message as one line.

export class InputError extends Error {
  override readonly name = 'InputError';
  /** Stable, upper case, for programs: `FILE_EMPTY`, `COLUMN_MISSING`. */
  readonly code: string;
  readonly hint: string;

  /** @param problem what is wrong and where @param hint what to do; both end up in the message */
  constructor(code: string, problem: string, hint: string) {
    super(`${problem}. ${hint}`);
    this.code = code;
    this.hint = hint;
  }
}

/** Another member of the group owns the partition by now: what this one was about to write is void. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  readonly code = 'FENCED';
}

/** The log does not answer; the same call may succeed later. */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
  readonly code = 'STREAM_UNAVAILABLE';
}

/** The store of objects does not answer; the same call may succeed later. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'STORE_UNAVAILABLE';
}

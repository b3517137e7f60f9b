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

/** A row that was to be written breaks a constraint: it is there already, or what it points to is not. */
export class RecordConflictError extends InputError {
  /** As it is called in the database (`users_by_name`); null where it has no name (NOT NULL). */
  readonly constraint: string | null;
  readonly table: string | null;

  constructor(problem: string, constraint: string | null, table: string | null) {
    super('RECORD_CONFLICT', problem, 'Read the record again and repeat the change where it still applies');
    this.constraint = constraint;
    this.table = table;
  }
}

/** The database of records does not answer; the same call may succeed later. */
export class RecordsUnavailableError extends Error {
  override readonly name = 'RecordsUnavailableError';
  readonly code = 'RECORDS_UNAVAILABLE';
}

/** The service of master keys does not answer; the same call may succeed later. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly code = 'KEYS_UNAVAILABLE';
}

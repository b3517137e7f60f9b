// What the interface answers when something is wrong: RFC 9457, with a stable code and what to do.
import { InputError } from '../lib/errors.ts';

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
}

/** Thrown by handlers; everything else that is thrown is a bug, and answered without a word of what it was. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'Who asks is not known',
  403: 'Not allowed',
  404: 'Not found',
  405: 'No such method here',
  406: 'Not in that form',
  408: 'The request took too long',
  409: 'In conflict with what is there',
  410: 'Gone',
  412: 'Changed meanwhile',
  413: 'Too large',
  415: 'Of a type that is not read here',
  422: 'The request is not valid',
  423: 'Locked',
  428: 'The version is missing',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Our mistake',
  503: 'Not available now',
};

export function problemBody(problem: Problem, instance: string): ProblemBody {
  const { status, code, message } = problem;
  return {
    type: `/docs#problem-${code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[status] ?? 'Problem',
    ...{ status, code, detail: message, instance },
  };
}

export const notFound = (what: string): Problem => new Problem(404, 'NOT_FOUND', `There is no ${what}`);

/** Statuses of the codes of input errors that are not simply invalid (422). */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  PROVIDER_NOT_SET: 404,
  PROVIDER_STATE_INVALID: 401,
  PROVIDER_REFUSED: 401,
  PROVIDER_METHOD_MISSING: 403,
  PROVIDER_DOMAIN: 403,
  PROVIDER_NO_ROLE: 403,
  PROVIDER_UNAVAILABLE: 503,
  LOGIN_REFUSED: 401,
  SECOND_PERSON_NEEDED: 403,
  RECORD_CONFLICT: 409,
  CASE_STATE_CONFLICT: 409,
  ALERT_STATE_CONFLICT: 409,
  CASE_WAITS: 409,
  CASE_CHANGED: 409,
  CASE_MERGED: 409,
  CASE_FULL: 409,
  REQUEST_DECIDED: 409,
  MODEL_CHANGE_WAITS: 409,
  MODEL_CHANGE_ON_ITS_WAY: 409,
  MODEL_CHANGE_OVERTAKEN: 409,
  REPLAY_ENDED: 409,
  REPLAYS_FULL: 429,
  SETUP_DONE: 409,
  ERASURE_STATE: 409,
  ERASURE_TOO_EARLY: 409,
  ERASURE_HELD: 409,
  HOLD_LIFTED: 409,
  ERASURE_SAME_PERSON: 403,
  ERASURE_CHANGED: 412,
  HOLD_CHANGED: 412,
  ERASURE_NOT_FOUND: 404,
  HOLD_NOT_FOUND: 404,
  ATTACHMENT_TOO_LARGE: 413,
  VERSION_CONFLICT: 412,
  NOT_FOUND: 404,
  RULE_SAME_PERSON: 403,
  RULE_OTHER_PERSON: 403,
  RULE_UNKNOWN: 404,
  RULE_NOT_PROPOSED: 409,
  RULE_NOT_IN_FORCE: 409,
  RULE_NO_EARLIER: 409,
  RULE_OF_FILES: 409,
  RULE_OUTDATED: 409,
  RULE_TEXT_CHANGED: 409,
  RULE_UNCHANGED: 409,
  RULE_VERSION_TAKEN: 409,
  RULES_TOO_LARGE: 409,
  SNOOZE_UNKNOWN: 404,
  OVERRIDE_UNKNOWN: 404,
  LIST_UNKNOWN: 404,
  LIST_VALUE_UNKNOWN: 404,
  LIST_EXISTS: 409,
  LIST_FULL: 409,
  FILE_TOO_LARGE: 413,
  LIST_TOO_LONG: 413,
  RULE_PROPOSALS_FULL: 409,
  // Operators mend it: what is kept is not what was written.
  HISTORY_BROKEN: 503,
  BOOK_BROKEN: 503,
  LIST_ROWS_CHANGED: 503,
  HISTORY_BUSY: 503,
  VALUE_TOO_LARGE: 413,
  VALUE_NOT_JSON: 400,
  VALUE_NOT_UTF8: 400,
};

/** Input errors that are nobody's fault: later there may be room. */
const BUSY: ReadonlySet<string> = new Set([
  'IDENTITY_BUSY',
  'AUDIT_BUSY',
  'ARCHIVE_BUSY',
  'RULE_CHECKS_FULL',
  'LIST_FILES_FULL',
]);

/** What is thrown on the way, as a problem; null for what nobody foresaw. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof InputError && !BUSY.has(error.code))
    return new Problem(STATUS_OF_CODE[error.code] ?? 422, error.code, error.message);
  const { code } = error as { code?: unknown };
  switch (code) {
    case 'LOCKED_UNTIL':
      return new Problem(429, 'LOCKED_UNTIL', (error as Error).message, { 'retry-after': '60' });
    case 'KEYS_BUSY':
      return new Problem(503, 'KEYS_BUSY', (error as Error).message, { 'retry-after': '1' });
    case 'SCORING_FULL':
      return new Problem(503, 'SCORING_FULL', (error as Error).message, { 'retry-after': '1' });
    case 'RULE_CHECKS_FULL':
    case 'LIST_FILES_FULL':
      return new Problem(503, code, (error as Error).message, { 'retry-after': '5' });
    case 'STREAM_UNAVAILABLE':
    case 'STORE_UNAVAILABLE':
    case 'RECORDS_UNAVAILABLE':
    case 'KEYS_UNAVAILABLE':
    case 'IDENTITY_BUSY':
    case 'AUDIT_BUSY':
    case 'ARCHIVE_BUSY':
      return new Problem(503, String(code), 'A part of the service does not answer. Try again', { 'retry-after': '2' });
    default:
      return problemOfFramework(error);
  }
}

/** Fastify's own, by its codes: their messages may repeat what was sent. */
function problemOfFramework(error: unknown): Problem | null {
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem(413, 'BODY_TOO_LARGE', 'The body is larger than this endpoint reads. Send less at once');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(415, 'MEDIA_TYPE', 'The content type is not one that this endpoint reads. See /docs');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem(400, 'BODY_LENGTH', 'The body is not as long as announced');
    default:
      break;
  }
  if (statusCode === 429)
    return new Problem(429, 'TOO_MANY_REQUESTS', 'More requests than allowed. Wait and try again');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, 'REQUEST_REFUSED', 'The request cannot be read');
  }
  return null;
}

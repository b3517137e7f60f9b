// Secrets in a text, by what stands before them: bearer tokens, passwords and keys that are named, user and password in an
// address, and tokens that show by their beginning what they are.

export interface SecretSpan {
  readonly kind: 'secret';
  readonly start: number;
  /** exclusive */
  readonly end: number;
}

/** What a name of something secret ends with (`smtpPassword`, `X-Api-Key`), by the last letter's five low bits. */
const ENDINGS: readonly (readonly string[])[] = byLastLetter([
  ...['password', 'passwd', 'pwd', 'contrasena', 'clave', 'cookie', 'secret', 'token', 'authorization', 'pepper'],
  ...[
    'apikey',
    'api_key',
    'api-key',
    'secretkey',
    'secret_key',
    'accesskey',
    'access_key',
    'privatekey',
    'private_key',
  ],
]);
const LEAST_NAME = 3;
/** Tokens by their beginning: JSON Web Tokens, keys of Amazon, Vault, GitHub, Slack, OpenAI-like services, and our own. */
const BEGINNINGS: readonly (readonly [string, number])[] = [
  ...([
    ['eyJ', 20],
    ['AKIA', 16],
    ['ASIA', 16],
    ['hvs.', 20],
    ['hvb.', 20],
    ['ghp_', 30],
    ['xoxb-', 20],
  ] as const),
  ...([
    ['xoxp-', 20],
    ['sk-', 30],
    ['cnt_', 30],
  ] as const),
];
const FIRSTS: ReadonlySet<number> = new Set(BEGINNINGS.map(([text]) => text.charCodeAt(0)));
const PEM = '-----BEGIN ';
const PEM_END = '-----END ';
const SCHEMES = ['bearer', 'basic', 'digest', 'apikey'];
const LEAST_SECRET = 4;
const MOST_CREDENTIALS = 300;

/**
 * Looks at the word from `start` to `end`, and adds the secret that it begins or that it is the name of.
 *
 * @returns where looking goes on, at least `end`
 */
export function findSecretAt(text: string, start: number, end: number, spans: SecretSpan[]): number {
  if (FIRSTS.has(text.charCodeAt(start))) {
    const found = endOfKnown(text, start);
    if (found > 0) return add(spans, start, found);
  }
  const next = text.charCodeAt(end);
  if (next === SPACE && isScheme(text, start, end)) {
    const from = skipSpaces(text, end);
    const to = endOfToken(text, from);
    // "Basic features" is no secret: what follows a scheme is long.
    return to - from >= 16 ? add(spans, from, to) : end;
  }
  const isNamed = next === QUOTE || next === APOSTROPHE || next === COLON || next === EQUALS || next === BACKSLASH;
  if (!isNamed && next !== SPACE) return end;
  return isSecretName(text, start, end) ? valueAfter(text, end, spans) : end;
}

/** `-----BEGIN … KEY-----` to its end. @param start a hyphen */
export function findPemAt(text: string, start: number, spans: SecretSpan[]): number {
  if (!text.startsWith(PEM, start)) return start + 1;
  const close = text.indexOf(PEM_END, start);
  const end = close < 0 ? text.length : close + PEM_END.length;
  return add(spans, start, end);
}

/** `user:password` of an address, from after `://` to before the `@`. */
export function credentialsBefore(text: string, at: number): SecretSpan | null {
  let start = at;
  while (at - start < MOST_CREDENTIALS && !isEnd(text.charCodeAt(start - 1)) && text.charCodeAt(start - 1) !== SLASH) {
    start--;
    if (start === 0) return null;
  }
  return at > start && text.startsWith('://', start - 3) ? { kind: 'secret', start, end: at } : null;
}

function endOfKnown(text: string, start: number): number {
  for (const [beginning, least] of BEGINNINGS) {
    if (!text.startsWith(beginning, start)) continue;
    const end = endOfToken(text, start);
    if (end - start >= least + beginning.length) return end;
  }
  return 0;
}

function isScheme(text: string, start: number, end: number): boolean {
  if (end - start < 5 || end - start > 6) return false;
  return SCHEMES.includes(text.slice(start, end).toLowerCase());
}

function isSecretName(text: string, start: number, end: number): boolean {
  if (end - start < LEAST_NAME) return false;
  const endings = ENDINGS[text.charCodeAt(end - 1) & 31];
  for (const ending of endings) if (endsWith(text, end, ending)) return true;
  return false;
}

/** Whatever the case; ñ is n. The name may go on over hyphens and low lines before the word. */
function endsWith(text: string, end: number, ending: string): boolean {
  let at = end - ending.length;
  if (at < 0) return false;
  for (let i = 0; i < ending.length; i++, at++) {
    const code = text.charCodeAt(at);
    const wanted = ending.charCodeAt(i);
    if (code !== wanted && (code | 32) !== wanted && !(wanted === 110 && (code | 32) === 241)) return false;
  }
  return true;
}

/** The value after `name": "`, `name=`, `name: `, with or without quotes (escaped ones too) and a scheme. */
function valueAfter(text: string, end: number, spans: SecretSpan[]): number {
  let from = end;
  let isAssigned = false;
  let quote = 0;
  for (; from < end + 8; from++) {
    const code = text.charCodeAt(from);
    if (code === COLON || code === EQUALS) isAssigned = true;
    else if (code === QUOTE || code === APOSTROPHE) quote = isAssigned ? code : 0;
    else if (code !== SPACE && code !== BACKSLASH) break;
  }
  if (!isAssigned) return end;
  const to = quote === 0 ? endOfValue(text, from) : endOfQuoted(text, from, quote);
  if (to - from < LEAST_SECRET || isPlain(text, from, to)) return Math.max(end, from);
  return add(spans, from, to);
}

function endOfQuoted(text: string, from: number, quote: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== quote && text.charCodeAt(at) !== BACKSLASH) at++;
  return at;
}

/** To the next comma, bracket or space; a scheme and its space are part of it. */
function endOfValue(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isEnd(text.charCodeAt(at))) at++;
  return text.charCodeAt(at) === SPACE && isScheme(text, from, at) ? endOfValue(text, at + 1) : at;
}

/** Counts (`"tokens": 12` is none, `"token": 12` may be) and what stands for nothing. */
function isPlain(text: string, from: number, to: number): boolean {
  const value = text.slice(from, Math.min(to, from + 12));
  return value === 'null' || value === 'true' || value === 'false' || value === 'undefined' || value === '[removed]';
}

function endOfToken(text: string, from: number): number {
  let at = from;
  while (at < text.length && isTokenSign(text.charCodeAt(at))) at++;
  return at;
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

function add(spans: SecretSpan[], start: number, end: number): number {
  spans.push({ kind: 'secret', start, end });
  return end;
}

const SPACE = 32;
const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const COLON = 58;
const EQUALS = 61;
const BACKSLASH = 92;

/** Of Base64, Base64url and tokens (RFC 6750). */
function isTokenSign(code: number): boolean {
  const lower = code | 32;
  if ((lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)) return true;
  return code === 43 || code === 45 || code === 46 || code === SLASH || code === EQUALS || code === 95 || code === 126;
}

function byLastLetter(endings: readonly string[]): string[][] {
  const lists: string[][] = Array.from({ length: 32 }, () => []);
  for (const ending of endings) lists[ending.charCodeAt(ending.length - 1) & 31].push(ending);
  return lists;
}

/** Space, quotes, comma, semicolon, &, brackets, end of line. */
function isEnd(code: number): boolean {
  return (
    code <= SPACE ||
    code === QUOTE ||
    code === APOSTROPHE ||
    code === 38 ||
    code === 44 ||
    code === 59 ||
    code === 41 ||
    code === 93 ||
    code === 125 ||
    code === BACKSLASH
  );
}

// The address of a server: `postgres://user:password@host:5432/database`, and nothing else in it (RFC 3986, as libpq's
// connection URIs). What decides about encryption is said in settings of its own, not at the end of an address.
import { InputError } from '../../lib/errors.ts';

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** undefined: the server asks for none, or has other means. */
  readonly password: string | undefined;
  readonly database: string;
  /** Loopback: what is sent does not leave the machine. */
  readonly isLocal: boolean;
}

/** @throws InputError POSTGRES_ADDRESS; the message does not repeat the address, which holds a password */
export function addressOf(url: string): DatabaseAddress {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw badAddress('the address of the database of records is not a URL');
  }
  if (!['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    throw badAddress(`the address of the database of records begins with ${parsed.protocol}`);
  }
  const parameters = [...parsed.searchParams.keys()];
  if (parameters.length > 0) {
    throw badAddress(`the address of the database of records has parameters (${parameters.join(', ')})`);
  }
  const host = decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  const database = decode(parsed.pathname.slice(1));
  if (host === '') throw badAddress('the address of the database of records names no host');
  if (database === '') throw badAddress('the address of the database of records names no database');
  if (parsed.username === '') throw badAddress('the address of the database of records names no user');
  return {
    host,
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    user: decode(parsed.username),
    password: parsed.password === '' ? undefined : decode(parsed.password),
    database,
    isLocal: host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badAddress('the address of the database of records has a % that begins no character');
  }
}

function badAddress(problem: string): InputError {
  return new InputError(
    'POSTGRES_ADDRESS',
    problem,
    'Write postgres://user:password@host:5432/database, with %40 for @ and %2F for / in the password; how the connection is encrypted is a setting of its own',
  );
}

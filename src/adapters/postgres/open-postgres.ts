// PostgreSQL 16 or newer as the database of records, through `pg` (https://node-postgres.com): a pool with limits, and
// transactions that see one state of the data and are tried again where another one was first.
import { type ClientBase, Pool, type PoolClient, type PoolConfig, type QueryConfig } from 'pg';
import { InputError, RecordsUnavailableError } from '../../lib/errors.ts';
import type { SqlDatabase, SqlRows, SqlRun, SqlStatement } from '../../ports.ts';
import { READ_COLUMNS, readText } from './column-values.ts';
import { addressOf } from './database-address.ts';
import { parameterText } from './parameter-text.ts';
import { errorOf, isLostRace, isSqlState, type SqlFailure } from './sql-errors.ts';

export interface PostgresTls {
  /** PEM; the system's authorities where it is null. */
  readonly certificateAuthority: string | null;
  /** Of this client; null where the server asks for none. */
  readonly clientCertificate: { readonly certificate: string; readonly privateKey: string } | null;
}

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database` */
  readonly url: string;
  /**
   * Left out: with the system's authorities for every host that is not loopback, which has none. `off` must be said for a
   * host elsewhere.
   */
  readonly tls?: PostgresTls | 'off';
  readonly maxConnections: number;
  readonly limits?: Partial<PostgresLimits>;
}

export interface PostgresLimits {
  /** To be connected, or to get a connection of the pool. */
  readonly connectMs: number;
  readonly statementMs: number;
  /** Waiting for a lock of another transaction. */
  readonly lockMs: number;
  /** A transaction in which nothing happens is ended by the server after this. */
  readonly idleInTransactionMs: number;
  /** A connection that nobody uses is closed after this. */
  readonly idleMs: number;
  /** Requests that wait for a connection; beyond it they are turned away. */
  readonly queued: number;
  /** A transaction that lost against others is tried again so often at most, and for so long. */
  readonly attempts: number;
  readonly attemptsMs: number;
}

const LIMITS: PostgresLimits = {
  connectMs: 5000,
  statementMs: 30_000,
  lockMs: 10_000,
  idleInTransactionMs: 30_000,
  idleMs: 30_000,
  queued: 1000,
  attempts: 20,
  attemptsMs: 10_000,
};

const BEGIN = 'BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE';
const PAUSE_MS = { first: 2, most: 250 };

/**
 * Connects once, so that a wrong address, password or certificate is told at the start.
 *
 * @throws InputError where the address cannot be read, or the server is too old or does not keep what it acknowledges
 * @throws RecordsUnavailableError where the server does not answer or does not let us in
 */
export async function openPostgres(options: PostgresOptions): Promise<SqlDatabase> {
  const limits = { ...LIMITS, ...options.limits };
  const pool = new Pool(poolConfig(options, limits));
  // A connection that breaks is told to whoever uses it next or waits for it; unheard, the events would end the program.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const database = databaseOver(pool, limits);
  try {
    const { rows } = await database.run({
      text: "SELECT current_setting('server_version_num') AS version, current_setting('synchronous_commit') AS commit",
      parameters: [],
    });
    const { version, commit } = rows[0]!;
    if (Number(version) < 160_000) throw tooOld(Number(version));
    if (commit === 'off') throw notDurable();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

function poolConfig({ url, tls, maxConnections }: PostgresOptions, limits: PostgresLimits): PoolConfig {
  const address = addressOf(url);
  const wantsTls = tls === undefined ? !address.isLocal : tls !== 'off';
  const given = tls === undefined || tls === 'off' ? null : tls;
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password,
    database: address.database,
    ssl: wantsTls && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(given?.certificateAuthority != null && { ca: given.certificateAuthority }),
      ...(given?.clientCertificate != null && {
        cert: given.clientCertificate.certificate,
        key: given.clientCertificate.privateKey,
      }),
    },
    application_name: 'centinela',
    max: maxConnections,
    connectionTimeoutMillis: limits.connectMs,
    idleTimeoutMillis: limits.idleMs,
    statement_timeout: limits.statementMs,
    // The server's own limit comes first; this one is for a server that has stopped answering.
    query_timeout: limits.statementMs + 5000,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    keepAlive: true,
    // What writes says so when it begins; everything else cannot.
    options: '-c default_transaction_read_only=on -c bytea_output=hex -c TimeZone=UTC',
    types: { getTypeParser: (type: number) => READ_COLUMNS.get(type) ?? readText },
  } as PoolConfig;
}

function databaseOver(pool: Pool, limits: PostgresLimits): SqlDatabase {
  let isClosed = false;

  function refuseMore(): void {
    if (isClosed) throw new RecordsUnavailableError('the connection to the database of records was closed');
    if (pool.waitingCount >= limits.queued) {
      throw new RecordsUnavailableError(
        `${pool.waitingCount} requests wait for a connection to the database of records, at most ${limits.queued} may`,
      );
    }
  }

  async function connect(): Promise<PoolClient> {
    refuseMore();
    return pool.connect().catch((error: unknown) => {
      throw unavailable(error);
    });
  }

  return {
    engine: 'postgres',
    async run(statement) {
      const client = await connect();
      try {
        const result = await runOn(client, statement);
        client.release();
        return result;
      } catch (error) {
        client.release(isConnectionLost(error));
        throw errorFrom(error);
      }
    },
    async transact(work) {
      const untilMs = performance.now() + limits.attemptsMs;
      for (let attempt = 1; ; attempt++) {
        const outcome = await attemptOnce(await connect(), work);
        if ('result' in outcome) return outcome.result;
        if (outcome.race === null) throw errorFrom(outcome.error);
        if (attempt >= limits.attempts || performance.now() > untilMs) throw lostTooOften(attempt, outcome.race);
        await pause(attempt);
      }
    },
    load: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await pool.end();
    },
  };
}

type Outcome<Result> =
  | { readonly result: Result }
  /** What the work made of it, and the error of the server where the transaction lost against another one. */
  | { readonly error: unknown; readonly race: Error | null };

/** The connection is given back, or closed where nobody knows what state it is in. */
async function attemptOnce<Result>(
  client: PoolClient,
  work: (run: SqlRun) => Promise<Result>,
): Promise<Outcome<Result>> {
  let last: Promise<unknown> = Promise.resolve();
  let failure: { readonly error: unknown } | null = null;
  let isOver = false;
  // One statement after another, even where they are asked for at once.
  const run: SqlRun = (statement) => {
    const answer = last.then(() => {
      if (isOver) throw new RecordsUnavailableError('the transaction is over');
      return runOn(client, statement);
    });
    last = answer.catch((error: unknown) => {
      failure ??= { error };
    });
    return answer.catch((error: unknown) => {
      throw errorFrom(error);
    });
  };
  try {
    await client.query(BEGIN);
    const result = await work(run);
    await last;
    // PostgreSQL goes on with nothing after a statement that failed, whatever the work made of the error.
    if (failure !== null) throw (failure as { error: unknown }).error;
    isOver = true;
    await client.query('COMMIT');
    client.release();
    return { result };
  } catch (error) {
    isOver = true;
    await last;
    const first = failure === null ? error : (failure as { error: unknown }).error;
    await rollBack(client, first);
    return { error, race: isFailure(first) && isLostRace(first.code) ? first : null };
  }
}

async function rollBack(client: PoolClient, error: unknown): Promise<void> {
  if (isConnectionLost(error)) return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

async function runOn(client: ClientBase, { text, parameters }: SqlStatement): Promise<SqlRows> {
  // The extended protocol takes one statement, with parameters or without: the same as in the embedded database.
  const query = { text, values: parameters.map(parameterText), queryMode: 'extended' } satisfies QueryConfig & {
    queryMode: 'extended';
  };
  const { rows, rowCount, command } = await client.query<Record<string, unknown>>(query);
  const changed = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(command) ? (rowCount ?? 0) : 0;
  return { rows, changed };
}

interface ServerError extends Error {
  readonly code: string;
}

function isFailure(error: unknown): error is ServerError {
  return error instanceof Error && isSqlState((error as NodeJS.ErrnoException).code);
}

/** Everything that is neither an answer of the server to a statement nor an error of the work itself. */
function isConnectionLost(error: unknown): boolean {
  if (isFailure(error)) return /^(08|57P)/.test(error.code);
  return isOfConnection(error);
}

/** Errors that `pg` makes itself, and those of sockets. */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return (
    syscall !== undefined ||
    /^E[A-Z]{4,}$/.test(code ?? '') ||
    /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(code ?? '') ||
    /^(Connection terminated|Query read timeout|timeout e(xpired|xceeded)|timeout exceeded|Client has encountered|The server does not support SSL|Client was closed|Client network socket)/.test(
      error.message,
    )
  );
}

function errorFrom(error: unknown): unknown {
  if (isFailure(error)) return errorOf(failureOf(error));
  return isOfConnection(error) ? unavailable(error) : error;
}

function failureOf(error: ServerError): SqlFailure {
  const { detail, constraint, table, column } = error as ServerError &
    Partial<Record<'detail' | 'constraint' | 'table' | 'column', string>>;
  return {
    code: error.code,
    message: error.message,
    detail: detail ?? null,
    constraint: constraint ?? null,
    table: table ?? null,
    column: column ?? null,
  };
}

function unavailable(error: unknown): RecordsUnavailableError {
  if (error instanceof RecordsUnavailableError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  // Attempts at several addresses of a name come as one error without a message.
  const errors = (error as AggregateError).errors as Error[] | undefined;
  const said = message !== '' ? message : (errors?.map(({ message }) => message).join(', ') ?? '');
  const coded = code === undefined || said.includes(code) ? said : `${said} (${code})`;
  return new RecordsUnavailableError(`the database of records does not answer: ${coded}`);
}

function lostTooOften(attempts: number, error: Error): RecordsUnavailableError {
  return new RecordsUnavailableError(
    `a transaction lost ${attempts} times against others and was given up: ${error.message}; nothing of it was kept`,
  );
}

function tooOld(version: number): InputError {
  return new InputError(
    'POSTGRES_TOO_OLD',
    `the database of records is PostgreSQL ${Math.floor(version / 10_000)}`,
    'Version 16 or newer is needed',
  );
}

function notDurable(): InputError {
  return new InputError(
    'POSTGRES_NOT_DURABLE',
    'the database of records has synchronous_commit = off, and would forget what it acknowledged when it stops',
    'Set it for this user or database: ALTER DATABASE … SET synchronous_commit = on',
  );
}

/** Twice as long each time, and by chance, so that those that met once do not meet again. */
function pause(attempt: number): Promise<void> {
  const longestMs = Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs));
}

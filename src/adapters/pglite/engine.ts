// PGlite, PostgreSQL compiled to WebAssembly (https://pglite.dev), spoken to in PostgreSQL's own protocol: parse, bind,
// describe, execute and sync go in one message, which takes a third of the time of its `query`, and values stay texts.
import { PGlite, protocol } from '@electric-sql/pglite';
import type { SqlRows } from '../../ports.ts';
import { READ_COLUMNS, type ReadColumn, readText } from '../postgres/column-values.ts';
import type { SqlFailure } from '../postgres/sql-errors.ts';
import type { StatementText } from './messages.ts';

export interface Engine {
  /** @throws SqlFailureError */
  run(statement: StatementText): Promise<SqlRows>;
  close(): Promise<void>;
}

/** What PostgreSQL reports of a statement. */
export class SqlFailureError extends Error {
  readonly failure: SqlFailure;

  constructor(failure: SqlFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface EngineOptions {
  /** null: in memory. */
  readonly dataFolder: string | null;
  /** The data folder to begin with, as a tar; null: what is there, or a new one. */
  readonly image: Blob | null;
}

/** Takes up to four seconds where an empty database has to be made. */
export async function openEngine({ dataFolder, image }: EngineOptions): Promise<PGlite> {
  const options = image === null ? {} : { loadDataDir: image };
  return dataFolder === null ? PGlite.create(options) : PGlite.create(dataFolder, options);
}

export async function createEngine(database: PGlite): Promise<Engine> {
  const engine: Engine = {
    run: (statement) => runStatement(database, statement),
    close: () => database.close(),
  };
  // What writes says so when it begins; everything else cannot.
  await engine.run({ text: 'SET default_transaction_read_only = on', parameters: [] });
  return engine;
}

type Answer = Awaited<ReturnType<PGlite['execProtocol']>>['messages'][number];
const { serialize } = protocol;

async function runStatement(database: PGlite, { text, parameters }: StatementText): Promise<SqlRows> {
  const message = Buffer.concat([
    serialize.parse({ text }),
    serialize.bind({ values: parameters as (string | null)[] }),
    serialize.describe({ type: 'P' }),
    serialize.execute({}),
    serialize.sync(),
  ]);
  const { messages } = await database.execProtocol(message, { throwOnError: false });
  return rowsOf(messages);
}

interface Column {
  readonly name: string;
  readonly read: ReadColumn;
}

function rowsOf(messages: readonly Answer[]): SqlRows {
  let columns: readonly Column[] = [];
  let changed = 0;
  const rows: Record<string, unknown>[] = [];
  for (const message of messages) {
    if (isKind(message, 'error')) throw new SqlFailureError(failureOf(message));
    if (isKind(message, 'rowDescription')) {
      columns = message.fields.map(({ name, dataTypeID }) => ({
        name,
        read: READ_COLUMNS.get(dataTypeID) ?? readText,
      }));
    } else if (isKind(message, 'dataRow')) rows.push(rowOf(columns, message.fields));
    else if (isKind(message, 'commandComplete')) changed = changedBy(message.text);
  }
  return { rows, changed };
}

function rowOf(columns: readonly Column[], texts: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) {
    const { name, read } = columns[index]!;
    const text = texts[index]!;
    row[name] = text === null ? null : read(text);
  }
  return row;
}

/** `INSERT 0 3`, `UPDATE 3`; other commands change no rows. */
function changedBy(tag: string): number {
  const match = /^(?:INSERT \d+|UPDATE|DELETE|MERGE) (\d+)$/.exec(tag);
  return match === null ? 0 : Number(match[1]);
}

interface AnswerKinds {
  readonly error: Readonly<
    Record<'message' | 'code' | 'detail' | 'constraint' | 'table' | 'column', string | undefined>
  >;
  readonly rowDescription: { readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[] };
  readonly dataRow: { readonly fields: readonly (string | null)[] };
  readonly commandComplete: { readonly text: string };
}

function isKind<Kind extends keyof AnswerKinds>(message: Answer, kind: Kind): message is Answer & AnswerKinds[Kind] {
  return message.name === kind;
}

function failureOf(message: AnswerKinds['error']): SqlFailure {
  return {
    code: message.code ?? 'XX000',
    message: message.message ?? 'an error without a message',
    detail: message.detail ?? null,
    constraint: message.constraint ?? null,
    table: message.table ?? null,
    column: message.column ?? null,
  };
}

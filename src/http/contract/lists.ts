// Kept lists: who or what is blocked, trusted, watched; names of sanctioned and politically exposed people.
//
// Values are somebody's: they are masked, and seen in clear where the view is audited.
import Type from 'typebox';
import { LIST_FORMATS } from '../../domain/list-formats.ts';
import { PURPOSES } from '../../lists/kept-list.ts';
import { nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';
import { BookEntrySchema, BookReason, ChainSchema } from './rules.ts';

/** More go in several requests, or on the command line. */
const MOST_ROWS = 20_000;
const IMPORT_BYTES = 8 * 1024 * 1024;
/** OFAC's sdn.xml has some 30 MB; the larger forms come packed. */
const FILE_BYTES = 40 * 1024 * 1024;
const IMPORTS_PER_MINUTE = 12;
/** Who may not see values could try them. */
const LOOKS_PER_MINUTE = 300;

const MATCHES = ['exact', 'name'] as const;

const ListSchema = Type.Object({
  name: Type.String(),
  purpose: oneOf(PURPOSES),
  match: oneOf(MATCHES),
  threshold: Type.Number({ description: 'likeness from which a name is on the list' }),
  entries: Type.Integer({ description: 'in force now' }),
  touched: Type.Integer({ description: "number of the history's entry that touched it last: its ETag" }),
});

const EntrySchema = Type.Object({
  id: Type.Integer({ description: 'its place on the list, which it keeps' }),
  value: Type.String({ description: 'masked, but for codes of the bank and tokens' }),
  reason: Type.String(),
  source: Type.String({ description: 'who says so' }),
  fromMs: TimeMs,
  untilMs: nullable(TimeMs),
  isInForce: Type.Boolean(),
});

const ListEntrySchema = Type.Object({
  ...BookEntrySchema,
  kind: Type.String(),
  list: Type.String(),
  source: nullable(Type.String()),
  untilMs: nullable(TimeMs),
  rows: nullable(Type.Integer({ description: 'of an import' })),
  value: nullable(Type.String({ description: 'masked' })),
});

const Name = Type.String({ minLength: 1, maxLength: 63 });
const Value = Type.String({ minLength: 1, maxLength: 500 });
const Source = Type.String({ minLength: 1, maxLength: 200 });
const ListParams = Type.Object({ list: Name });
const Done = Type.Object({ list: Type.String(), entry: Type.Integer(), hash: Type.String() });
const EntryId = Type.Integer({ minimum: 0, maximum: 100_000_000 });
const entriesQuery = Type.Object({
  ...pageQuery,
  id: Type.Optional({
    ...EntryId,
    description: 'this one alone, as decisions name it (`listed`); also where it is over',
  }),
  inForce: Type.Optional(Type.Boolean({ description: 'default true; false: also those that are over' })),
});

const read = { method: 'GET', tag: 'lists', access: 'lists:read', does: 'read' } as const;
const changed = { method: 'POST', tag: 'lists', access: 'lists:write', does: 'change', answer: Done } as const;

export const LIST_ENDPOINTS = {
  listLists: endpoint({
    ...{ ...read, path: '/v1/lists' },
    summary: { es: 'Listas', en: 'Lists' },
    answer: Type.Object({ rows: Type.Array(ListSchema) }),
  }),
  defineList: endpoint({
    ...{ ...changed, path: '/v1/lists', status: 201 },
    summary: { es: 'Crear una lista', en: 'Make a list' },
    body: Type.Object(
      {
        name: Name,
        purpose: oneOf(PURPOSES),
        match: Type.Optional(oneOf(MATCHES, 'default exact')),
        threshold: Type.Optional(Type.Number({ minimum: 0.5, maximum: 1, description: 'of names; default 0.9' })),
        reason: BookReason,
      },
      { additionalProperties: false },
    ),
  }),
  listEntries: endpoint({
    ...{ ...read, path: '/v1/lists/:list/entries', versioned: true },
    summary: { es: 'Lo que hay en una lista, enmascarado', en: 'What is on a list, masked' },
    params: ListParams,
    query: entriesQuery,
    answer: pageOf(EntrySchema),
  }),
  viewListEntries: endpoint({
    ...{ ...read, path: '/v1/lists/:list/entries::view', access: 'personal-data:read', does: 'own', versioned: true },
    summary: {
      es: 'Lo que hay en una lista, en claro; queda en la pista',
      en: 'What is on a list, in clear; it is in the audit',
    },
    params: ListParams,
    query: entriesQuery,
    answer: pageOf(EntrySchema),
  }),
  findOnList: endpoint({
    ...{ method: 'POST', path: '/v1/lists/:list/entries::find', tag: 'lists', access: 'lists:read', does: 'own' },
    mostPerMinute: LOOKS_PER_MINUTE,
    summary: { es: '¿Está este valor en la lista?', en: 'Is this value on the list?' },
    params: ListParams,
    body: Type.Object({ value: Value }, { additionalProperties: false }),
    answer: Type.Object({ isOn: Type.Boolean(), similarity: Type.Number(), entry: nullable(EntrySchema) }),
  }),
  addToList: endpoint({
    ...{ ...changed, path: '/v1/lists/:list/entries', status: 201 },
    summary: { es: 'Poner un valor en la lista', en: 'Put a value on the list' },
    params: ListParams,
    body: Type.Object(
      {
        value: Value,
        untilMs: Type.Optional(nullable(TimeMs)),
        source: Type.Optional(Source),
        reason: BookReason,
      },
      { additionalProperties: false },
    ),
  }),
  removeFromList: endpoint({
    ...{ ...changed, path: '/v1/lists/:list/entries::remove' },
    summary: { es: 'Quitar un valor de la lista', en: 'Take a value off the list' },
    params: ListParams,
    body: Type.Object(
      {
        id: Type.Optional({ ...EntryId, description: 'place of the entry' }),
        value: Type.Optional(Value),
        reason: BookReason,
      },
      { additionalProperties: false, description: '`id` or `value`' },
    ),
  }),
  importToList: endpoint({
    ...{ ...changed, path: '/v1/lists/:list/entries::import', status: 201 },
    ...{ mostBodyBytes: IMPORT_BYTES, mostPerMinute: IMPORTS_PER_MINUTE },
    summary: {
      es: 'Poner muchos valores de una fuente, o cambiarlos por los anteriores',
      en: 'Put many values of one source on it, or in place of those before',
    },
    params: ListParams,
    body: Type.Object(
      {
        source: Source,
        replaces: Type.Optional(
          Type.Boolean({ description: 'what the source listed before and does not now is taken off' }),
        ),
        reason: BookReason,
        rows: Type.Array(
          Type.Object(
            {
              value: Value,
              reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
              fromMs: Type.Optional(nullable(TimeMs)),
              untilMs: Type.Optional(nullable(TimeMs)),
            },
            { additionalProperties: false },
          ),
          { minItems: 1, maxItems: MOST_ROWS },
        ),
      },
      { additionalProperties: false },
    ),
  }),
  uploadToList: endpoint({
    ...{ method: 'POST', path: '/v1/lists/:list/entries::upload', tag: 'lists', access: 'lists:write', does: 'change' },
    ...{ bodyKind: 'file', mostBodyBytes: FILE_BYTES, mostPerMinute: IMPORTS_PER_MINUTE },
    summary: {
      es: 'Importar un archivo: CSV, o lo que publican OFAC y la ONU',
      en: 'Import a file: CSV, or what OFAC and the UN publish',
    },
    params: ListParams,
    query: Type.Object({
      format: oneOf(
        LIST_FORMATS,
        'xml: of OFAC (sdn.xml, sdn_advanced.xml) or the UN (consolidated.xml); ofac-csv: sdn.csv, without other names. Any may be gzip',
      ),
      source: Source,
      reason: BookReason,
      replaces: Type.Optional(
        Type.Boolean({
          description: 'what the source listed before and does not now is taken off; default true but for csv',
        }),
      ),
      weakNames: Type.Optional(
        Type.Boolean({ description: 'also names that the publisher calls weak; default false' }),
      ),
      dryRun: Type.Optional(
        Type.Boolean({ description: 'only says what it would do; its ETag as If-Match makes sure that it still does' }),
      ),
    }),
    answer: Type.Object({
      list: Type.String(),
      entry: nullable(Type.Integer({ description: 'of the history; null of a dry run' })),
      hash: nullable(Type.String()),
      format: oneOf(LIST_FORMATS),
      rows: Type.Integer({ description: 'that could be used' }),
      rejected: Type.Integer(),
      firstRejected: Type.Array(
        Type.Object({ line: Type.Integer(), message: Type.String({ description: 'without values' }) }),
      ),
      weakNames: Type.Integer({ description: 'left out' }),
      added: Type.Integer(),
      changed: Type.Integer({ description: 'with another reason, beginning or end' }),
      unchanged: Type.Integer(),
      expired: Type.Integer({ description: 'taken off, for the source does not list them any more' }),
    }),
  }),
  listHistory: endpoint({
    ...{ ...read, path: '/v1/list-history' },
    summary: { es: 'Quién cambió qué lista, lo último primero', en: 'Who changed which list, newest first' },
    query: Type.Object({ ...pageQuery, list: Type.Optional(Name) }),
    answer: pageOf(ListEntrySchema),
  }),
  verifyListHistory: endpoint({
    ...{
      method: 'POST',
      path: '/v1/list-history::verify',
      tag: 'lists',
      access: 'lists:read',
      does: 'own',
      mostPerMinute: 12,
    },
    summary: { es: 'Comprobar la cadena del historial', en: "Verify the history's chain" },
    answer: ChainSchema,
  }),
};

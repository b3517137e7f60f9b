// Kept lists. Values are somebody's: masked here, in clear where the view is in the audit, and never in the audit itself.
import type { ListDesk, ListedEntry, PlacedEntry } from '../../jobs/books/list-desk.ts';
import type { RunningListFiles } from '../../jobs/books/list-files.ts';
import { listOf } from '../../jobs/stream/live-lists.ts';
import { isListedAt } from '../../lists/kept-list.ts';
import { NAME_THRESHOLD } from '../../lists/standard-lists.ts';
import { maskListed } from '../../privacy/masking.ts';
import type { Scrubber } from '../../privacy/scrubber.ts';
import type { AuditTrail } from '../../records/audit/audit-trail.ts';
import type { ListImport } from '../../registry/list-book.ts';
import { type ImportEffect, type ImportedFile, importedFile, type ListEvent } from '../../registry/list-book-state.ts';
import type { Answer, Asked, HandlerOf, Handlers, OutsideChange } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { ENDPOINTS, EndpointSpec } from '../contract.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { type ChainReport, chainHandler } from './book-chain.ts';
import { type BookServices, bookActOf, bookChange, newestFirst, toldOf } from './book-changes.ts';

export interface ListServices extends BookServices<ListEvent> {
  readonly desk: ListDesk;
  readonly trail: Pick<AuditTrail, 'record'>;
  readonly scrubber: Pick<Scrubber, 'scrub'>;
  verify(): Promise<ChainReport>;
  /** In a thread of its own. */
  readFile: RunningListFiles['read'];
}

type ListHandlers = Pick<
  Handlers,
  | ('listLists' | 'defineList' | 'listEntries' | 'viewListEntries' | 'findOnList' | 'addToList' | 'removeFromList')
  | ('importToList' | 'uploadToList' | 'listHistory' | 'verifyListHistory')
>;
type ChangeName = 'addToList' | 'removeFromList' | 'importToList' | 'uploadToList';

export function listHandlers(services: ListServices): ListHandlers {
  const { desk, trail, scrubber, verify } = services;
  return {
    async listLists({ nowMs }) {
      const rows = (await desk.lists(nowMs)).map(({ definition, ...more }) => ({ ...definition, ...more }));
      return { body: { rows } };
    },
    async listEntries({ params, query, nowMs }) {
      const { definition, touched } = await desk.list(params.list);
      const { rows, next } = await pageOf(desk, params.list, query, nowMs);
      const isName = definition.match === 'name';
      return { body: { rows: rows.map((row) => masked(row, isName, scrubber, nowMs)), next }, version: touched };
    },
    async viewListEntries({ params, query, principal, nowMs, address }) {
      if (!principal!.permissions.has('lists:read')) {
        throw new Problem(403, 'NOT_ALLOWED', 'This needs the permission lists:read, too. Ask an administrator');
      }
      const { touched } = await desk.list(params.list);
      const { rows, next } = await pageOf(desk, params.list, query, nowMs);
      const { kind, id, name } = principal!;
      const subject = { kind: 'list', id: params.list };
      const detail = { fields: ['value', 'reason'], entries: rows.map((row) => row.id) };
      await trail.record([
        { atMs: nowMs, actor: { kind, id, name }, action: 'personal-data.viewed', subject, detail, address },
      ]);
      return { body: { rows: rows.map((row) => told(row, nowMs)), next }, version: touched };
    },
    async findOnList({ params, body, nowMs }) {
      const { definition } = await desk.list(params.list);
      const { isOn, similarity, entry } = await desk.find(params.list, body.value.trim(), nowMs);
      const shown = entry === null ? null : masked(entry, definition.match === 'name', scrubber, nowMs);
      return { body: { isOn, similarity, entry: shown } };
    },
    async listHistory({ query }) {
      const { limit = DEFAULT_PAGE, cursor, list } = query;
      const names = new Map((await desk.definitions()).map(({ name, match }) => [name, match === 'name']));
      const entries = (await desk.history()).filter(({ event }) => list === undefined || listOf(event) === list);
      const { rows, next } = newestFirst(entries, readCursor(cursor)?.ms ?? null, limit);
      const shown = rows.map((entry) => entryTold(entry, names.get(listOf(entry.event)) === true, scrubber));
      return { body: { rows: shown, next: next === null ? null : writeCursor({ ms: next, id: 'lists' }) } };
    },
    verifyListHistory: chainHandler(verify),
    ...changes(services),
  };
}

function changes(services: ListServices): Pick<ListHandlers, 'defineList' | ChangeName> {
  const { desk, readFile, scrubber } = services;
  const actOf = (asked: Asked<EndpointSpec>, request: string, reason: string) =>
    bookActOf(asked, request, reason, true);
  /** Of a list; of the one that the caller saw where it says so. */
  const change = <Name extends ChangeName>(
    make: (asked: Asked<(typeof ENDPOINTS)[Name]>, list: string, request: string) => Promise<ListedEntry>,
    tell: (entry: ListedEntry) => Answer<object> = changeTold,
  ) =>
    bookChange<(typeof ENDPOINTS)[Name], ListEvent>(
      services,
      async (asked, request) => {
        const { list } = asked.params as { list: string };
        if (asked.ifMatch !== null) await desk.demandUntouched(list, asked.ifMatch, request);
        return await make(asked, list, request);
      },
      tell,
    ) as HandlerOf<(typeof ENDPOINTS)[Name]>;
  const importOf = async ({ params, query, body }: Asked<(typeof ENDPOINTS)['uploadToList']>): Promise<ListImport> => {
    const { list } = params;
    const { format, source, weakNames: withWeakNames = false } = query;
    // Who is no longer published is no longer sanctioned.
    const { replaces = format !== 'csv' } = query;
    await desk.list(list);
    const { rows, rejected, weakNames } = await readFile(body, { format, withWeakNames });
    return { list, source, replaces, rows, file: importedFile(format, rejected, weakNames) };
  };
  const upload = change<'uploadToList'>(
    async (asked, _, request) => desk.importRows(await importOf(asked), actOf(asked, request, asked.query.reason)),
    (entry) => {
      const event = entry.event as Extract<ListEvent, { kind: 'imported' }>;
      return { body: uploadTold(event.list, entry, event), version: entry.number };
    },
  ) as OutsideChange<(typeof ENDPOINTS)['uploadToList']>;
  return {
    defineList: bookChange(
      services,
      (asked, request) => {
        const { name, purpose, match = 'exact', threshold = NAME_THRESHOLD, reason } = asked.body;
        const definition = { name, purpose, match, threshold: match === 'exact' ? 1 : threshold };
        return desk.define(definition, actOf(asked, request, reason));
      },
      changeTold,
    ) as ListHandlers['defineList'],
    addToList: change<'addToList'>((asked, list, request) => {
      const { value, untilMs = null, source = asked.principal!.name, reason } = asked.body;
      return desk.add(list, value, { source, untilMs }, actOf(asked, request, reason));
    }),
    removeFromList: change<'removeFromList'>((asked, list, request) => {
      const { id, value, reason } = asked.body;
      if ((id === undefined) === (value === undefined)) {
        throw new Problem(422, 'BODY_INVALID', 'Give id or value: what is taken off');
      }
      return desk.remove(list, id === undefined ? { value: value! } : { id }, actOf(asked, request, reason));
    }),
    importToList: change<'importToList'>((asked, list, request) => {
      const { source, replaces = false, reason, rows } = asked.body;
      const given = rows.map(({ value, reason: own = null, fromMs = null, untilMs = null }, row) => {
        if (value.trim() === '') throw new Problem(422, 'BODY_INVALID', `rows[${row}].value is empty`);
        return { value: value.trim(), reason: own, fromMs, untilMs };
      });
      return desk.importRows({ list, source, replaces, rows: given, file: null }, actOf(asked, request, reason));
    }),
    uploadToList: {
      async make(asked, request) {
        if (asked.query.dryRun !== true) return upload.make(asked, request);
        const wanted = await importOf(asked);
        const { effect, touched } = await desk.previewImport(wanted, { why: asked.query.reason, atMs: asked.nowMs });
        const { list, source, replaces, rows, file } = wanted;
        return async ({ principal, nowMs, address }, _, record) => {
          // Counts say whether values are on the list: who tries many is to be seen.
          const { kind, id, name } = principal!;
          const counts = { rows: rows.length, ...effect };
          const detail = { source: scrubber.scrub(source), replaces, ...counts };
          const subject = { kind: 'list', id: list };
          const action = 'list.import-tried';
          await record([{ atMs: nowMs, actor: { kind, id, name }, action, subject, detail, address }]);
          return { body: uploadTold(list, null, { rows: rows.length, effect, file }), version: touched };
        };
      },
    },
  };
}

async function pageOf(
  desk: ListDesk,
  list: string,
  { id, inForce = true, limit = DEFAULT_PAGE, cursor }: Asked<(typeof ENDPOINTS)['listEntries']>['query'],
  nowMs: number,
) {
  if (id !== undefined) return { rows: (await desk.entries(list, null, id - 1, 1)).rows, next: null };
  const after = readCursor(cursor)?.ms ?? -1;
  const { rows, next } = await desk.entries(list, inForce ? nowMs : null, Math.max(-1, after), limit);
  return { rows, next: next === null ? null : writeCursor({ ms: next, id: list }) };
}

function told(entry: PlacedEntry, nowMs: number) {
  return { ...entry, isInForce: isListedAt(entry, nowMs) };
}

function masked(entry: PlacedEntry, isName: boolean, scrubber: ListServices['scrubber'], nowMs: number) {
  const { value, reason, source } = entry;
  const hidden = { value: maskListed(value, isName), reason: scrubber.scrub(reason), source: scrubber.scrub(source) };
  return { ...told(entry, nowMs), ...hidden };
}

function entryTold(entry: ListedEntry, isName: boolean, scrubber: ListServices['scrubber']) {
  const { event } = entry;
  const { why, ...more } = toldOf(entry);
  return {
    ...{ ...more, why: scrubber.scrub(why), kind: event.kind, list: listOf(event) },
    source: 'source' in event ? scrubber.scrub(event.source) : null,
    untilMs: 'untilMs' in event ? event.untilMs : null,
    rows: 'rows' in event ? event.rows : null,
    value: 'value' in event ? maskListed(event.value, isName) : null,
  };
}

function changeTold({ number, hash, event }: ListedEntry): Answer<object> {
  return { body: { list: listOf(event), entry: number, hash }, version: number };
}

/** @param entry null where nothing was changed */
function uploadTold(
  list: string,
  entry: ListedEntry | null,
  {
    rows,
    effect,
    file,
  }: { readonly rows: number; readonly effect?: ImportEffect; readonly file?: ImportedFile | null },
) {
  const { format, rejected, firstRejected, weakNames } = file!;
  return {
    ...{ list, entry: entry?.number ?? null, hash: entry?.hash ?? null },
    ...{ format, rows, rejected, firstRejected, weakNames, ...effect! },
  };
}

// What the audit says of an entry of the rule book or of the lists: codes and ids, and tokens for what is somebody's.
import type { AuditEntryDraft } from '../../audit/entry.ts';
import type { RuleOverride } from '../../decisions/verdict.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import type { ImportedFile, ListEvent } from '../../registry/list-book-state.ts';
import type { RuleEvent } from '../../registry/rule-book-state.ts';

type Told = Pick<AuditEntryDraft, 'action' | 'subject' | 'detail'>;

export interface EntryWords {
  scrub(text: string): string;
  /** The id, or its token where it is somebody's number. */
  entityId(field: RuleOverride['field'], id: string): string;
  /** Of whatever it is: the same for the same. */
  token(value: string): string;
}

export function tellRule({ event, why }: HistoryEntry<RuleEvent>, { scrub, entityId }: EntryWords): Told {
  const id = 'version' in event ? `${event.id}@${event.version}` : event.id;
  return {
    action: `rule.${event.kind}`,
    subject: { kind: 'rule', id },
    detail: {
      ...('sha256' in event && { sha256: event.sha256 }),
      ...('untilMs' in event && { untilMs: event.untilMs }),
      ...('field' in event && { field: event.field, value: entityId(event.field, event.value) }),
      reason: scrub(why),
    },
  };
}

const LIST_ACTIONS: Readonly<Record<ListEvent['kind'], string>> = {
  defined: 'list.defined',
  added: 'list.entry-added',
  removed: 'list.entry-removed',
  imported: 'list.imported',
  pruned: 'list.pruned',
  forgotten: 'list.forgotten',
};

/** Why somebody is on a list may name them: it is in the list's own history, which is sealed. */
export function tellList({ event }: HistoryEntry<ListEvent>, { scrub, token }: EntryWords): Told {
  const action = LIST_ACTIONS[event.kind];
  if (event.kind === 'defined') {
    const { name, purpose, match, threshold } = event.definition;
    return { action, subject: { kind: 'list', id: name }, detail: { purpose, match, threshold } };
  }
  if (event.kind === 'forgotten') return { action, subject: null, detail: {} };
  return {
    action,
    subject: { kind: 'list', id: event.list },
    detail: {
      ...('value' in event && { value: token(event.value) }),
      ...('source' in event && { source: scrub(event.source) }),
      ...('untilMs' in event && { untilMs: event.untilMs }),
      ...('forgotten' in event && { entries: event.forgotten.length }),
      ...('rows' in event && { rows: event.rows, replaces: event.replaces, ...event.effect, ...countsOf(event.file) }),
    },
  };
}

/** Counts alone: which lines could not be read is for who sent the file. */
function countsOf(file: ImportedFile | undefined) {
  if (file === undefined) return {};
  const { format, rejected, weakNames } = file;
  return { format, rejected, weakNames };
}

// What somebody is told: an alert, a case, an escalation, a question to a customer, something of the system itself.
//
// It leaves the bank's walls (mail, chat, other systems), so it carries ids, codes and amounts, and no personal data
// (Ley 29733; bank secrecy, Ley 26702 art. 140). Callers write texts accordingly; what slips in all the same and can be
// recognised (card numbers, CCIs, mobile phones, documents, addresses of mail) is masked before anything is kept.
import { maskNumbersIn } from '../domain/mask.ts';
import { InputError } from '../lib/errors.ts';

export const NOTIFICATION_KINDS = ['alert', 'case', 'escalation', 'challenge', 'system'] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** From mild to severe. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const LANGUAGES = ['es', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

export type Bilingual = Readonly<Record<Language, string>>;

export interface Notification {
  /** Chosen by the caller from what it tells of (`alert:a1`): the same id is told once. */
  readonly id: string;
  readonly kind: NotificationKind;
  readonly severity: Severity;
  /** `resolved`: what a notification of the same code told of is over. */
  readonly state: 'firing' | 'resolved';
  readonly title: Bilingual;
  readonly text: Bilingual;
  readonly subject: { readonly kind: string; readonly id: string } | null;
  /** Of Centinela's pages, from the slash on; null where there is nothing to open. */
  readonly linkPath: string | null;
  readonly queue: string | null;
  /** F01–F20, E01–E15; null where it is of none. */
  readonly typology: string | null;
  readonly caseId: string | null;
  /** The bank's own id of the customer, never a document. */
  readonly customerId: string | null;
  /** One of a short list, for machines: `channel-failing`, `MONTO_FUERA_DE_PERFIL`. */
  readonly code: string | null;
  /** Told to these instead of where routes lead; null: routes decide. */
  readonly channels: readonly string[] | null;
  readonly atMs: number;
}

/** What is left out is null; `state` is `firing`. */
export type NotificationDraft = Pick<Notification, 'id' | 'kind' | 'severity' | 'title' | 'text' | 'atMs'> &
  Partial<Notification>;

const MOST_ID = 200;
const MOST_TITLE = 200;
const MOST_TEXT = 4000;
const MOST_CODE = 100;
const MOST_CHANNELS = 20;

/**
 * The notification that is kept: fields filled in, texts without what can be recognised as personal, cut to their limits.
 *
 * @throws InputError where an id, a code or a path is not what it should be
 */
export function notificationOf(draft: NotificationDraft): Notification {
  const { subject = null, linkPath = null, channels = null } = draft;
  demandShort('id', draft.id, MOST_ID);
  if (subject !== null) {
    demandShort('subject.kind', subject.kind, MOST_CODE);
    demandShort('subject.id', subject.id, MOST_ID);
  }
  for (const name of ['queue', 'typology', 'caseId', 'customerId', 'code'] as const) {
    const value = draft[name] ?? null;
    if (value !== null) demandShort(name, value, MOST_ID);
  }
  if (linkPath !== null && !/^\/(?![/\\])[\w./~%{}?=&-]{0,500}$/.test(linkPath)) {
    throw new InputError(
      'NOTIFICATION_LINK_INVALID',
      `Notification ${draft.id} links to what is no path of Centinela`,
      "Give the path from its slash on: '/cases/c1'",
    );
  }
  if (channels !== null && (channels.length === 0 || channels.length > MOST_CHANNELS)) {
    throw new InputError(
      'NOTIFICATION_CHANNELS_INVALID',
      `Notification ${draft.id} names ${channels.length} channels`,
      `Name 1 to ${MOST_CHANNELS}, or leave them out and let routes decide`,
    );
  }
  return {
    ...{ id: draft.id, kind: draft.kind, severity: draft.severity, state: draft.state ?? 'firing' },
    title: cleaned(draft.title, (text) => cut(text.replace(/\s+/g, ' ').trim(), MOST_TITLE)),
    text: cleaned(draft.text, (text) => cut(text.trim(), MOST_TEXT)),
    ...{ subject, linkPath, queue: draft.queue ?? null, typology: draft.typology ?? null },
    ...{ caseId: draft.caseId ?? null, customerId: draft.customerId ?? null, code: draft.code ?? null },
    ...{ channels, atMs: draft.atMs },
  };
}

function cleaned(text: Bilingual, shorten: (text: string) => string): Bilingual {
  const clean = (one: string) => shorten(maskNumbersIn(withoutControls(one)));
  return { es: clean(text.es), en: clean(text.en) };
}

/** Lines stay; other control characters would be read by terminals and mail. */
function withoutControls(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e]/gu, ' ');
}

function cut(text: string, most: number): string {
  const signs = [...text];
  return signs.length <= most ? text : `${signs.slice(0, most - 1).join('')}…`;
}

function demandShort(name: string, value: string, most: number): void {
  if (value !== '' && value.length <= most && !/\p{Cc}/u.test(value)) return;
  throw new InputError(
    'NOTIFICATION_INVALID',
    `A notification's ${name} is empty, longer than ${most} characters or has control characters`,
    'Give an id or a code',
  );
}

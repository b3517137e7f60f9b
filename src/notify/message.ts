// What a channel is given to deliver, and the words of a summary.
import type { DeliveryOutcome } from '../ports.ts';
import type { Language, Notification, Severity } from './notification.ts';
import { SEVERITIES } from './notification.ts';

/** One notification in the language of a channel, with a link that can be opened. */
export interface MessageItem {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly state: 'firing' | 'resolved';
  readonly title: string;
  readonly text: string;
  readonly subject: { readonly kind: string; readonly id: string } | null;
  readonly link: string | null;
  readonly queue: string | null;
  readonly typology: string | null;
  readonly caseId: string | null;
  readonly customerId: string | null;
  readonly code: string | null;
  readonly atMs: number;
}

export interface Message {
  /** The same at every attempt: receivers know by it what they have had. */
  readonly id: string;
  readonly language: Language;
  /** Of the worst. */
  readonly severity: Severity;
  readonly title: string;
  /** Plain text; lines. */
  readonly text: string;
  readonly link: string | null;
  /** What it tells of, oldest first, at most `MOST_ITEMS`. */
  readonly items: readonly MessageItem[];
  /** Of how many notifications. */
  readonly total: number;
}

export interface Channel {
  /** Never throws for what the other side does. @param nowMs for what is signed with the time */
  deliver(message: Message, nowMs: number): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

/** How links are made; null: there is none. */
export type LinkOf = (notification: Notification) => string | null;

export const MOST_ITEMS = 200;
const MOST_LISTED = 20;

const SEVERITY_NAMES: Readonly<Record<Severity, Readonly<Record<Language, string>>>> = {
  low: { es: 'baja', en: 'low' },
  medium: { es: 'media', en: 'medium' },
  high: { es: 'alta', en: 'high' },
  critical: { es: 'crítica', en: 'critical' },
};

export function severityName(severity: Severity, language: Language): string {
  return SEVERITY_NAMES[severity][language];
}

/**
 * @param members at least one, oldest first; those beyond `MOST_ITEMS` may be left out
 * @param total of all members
 */
export function messageOf(
  id: string,
  members: readonly Notification[],
  total: number,
  language: Language,
  linkOf: LinkOf,
): Message {
  const items = members.slice(0, MOST_ITEMS).map((member) => itemOf(member, language, linkOf));
  const severity = items.reduce<Severity>(
    (worst, item) => (SEVERITIES.indexOf(item.severity) > SEVERITIES.indexOf(worst) ? item.severity : worst),
    'low',
  );
  const [first] = items;
  if (total === 1) {
    const { title, text, link } = first;
    return { ...{ id, language, severity, title, text, link, items, total } };
  }
  const title =
    language === 'es'
      ? `${total} avisos, severidad ${severityName(severity, 'es')}: ${first.title}`
      : `${total} notifications, severity ${severityName(severity, 'en')}: ${first.title}`;
  const lines = items.slice(0, MOST_LISTED).map((item) => {
    const line = `• [${severityName(item.severity, language)}] ${item.title}`;
    return item.link === null ? line : `${line}\n  ${item.link}`;
  });
  const rest = total - lines.length;
  if (rest > 0) lines.push(language === 'es' ? `… y ${rest} más` : `… and ${rest} more`);
  const link = items.every((item) => item.link === first.link) ? first.link : null;
  return { ...{ id, language, severity, title, text: lines.join('\n'), link, items, total } };
}

function itemOf(notification: Notification, language: Language, linkOf: LinkOf): MessageItem {
  const { id, kind, severity, state, subject, queue, typology, caseId, customerId, code, atMs } = notification;
  return {
    ...{ id, kind, severity, state, title: notification.title[language], text: notification.text[language], subject },
    ...{ link: linkOf(notification), queue, typology, caseId, customerId, code, atMs },
  };
}

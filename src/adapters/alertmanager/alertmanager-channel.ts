// Notifications as alerts of Prometheus's Alertmanager (API v2, POST /api/v2/alerts), for banks that route them there.
//
// Labels make an alert what it is, so their values come from short lists (kind, code, severity, queue, typology) and never
// from ids: a label of an id would be a new alert for every transaction. Ids are in the annotations. Alerts of the same labels
// are one, renewed; it ends at `resolveAfterMs` after the last one, or when a notification of the same kind, code and severity
// says that it is over.
import type { DeliveryOutcome } from '../../ports.ts';
import { outcomeOf } from '../webhook/delivery-outcome.ts';
import { demandPostUrl, MOST_BODY_BYTES, type Post } from '../webhook/guarded-post.ts';

export interface AlertItem {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: 'firing' | 'resolved';
  readonly title: string;
  readonly text: string;
  readonly link: string | null;
  readonly queue: string | null;
  readonly typology: string | null;
  readonly code: string | null;
  readonly atMs: number;
}

export interface AlertMessage {
  readonly items: readonly AlertItem[];
}

export interface AlertmanagerOptions {
  /** Up to the API's path. */
  readonly url: string;
  /** Bearer; null: none. */
  readonly token: string | null;
  readonly resolveAfterMs: number;
  readonly timeoutMs: number;
  readonly post: Post;
}

export interface AlertmanagerChannel {
  deliver(message: AlertMessage): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** Values that a label has been given since the start; beyond them it is `other`. */
const MOST_VALUES = 100;
const MOST_ANNOTATION = 1000;
const OTHER = 'other';

/** @throws InputError where the address is none that may be posted to */
export function openAlertmanagerChannel(options: AlertmanagerOptions): AlertmanagerChannel {
  const base = demandPostUrl(options.url).href.replace(/\/$/, '');
  const values = new Map<string, Set<string>>();
  const bounded = (label: string, value: string): string => {
    const known = values.get(label) ?? new Set<string>();
    values.set(label, known);
    if (!known.has(value) && known.size >= MOST_VALUES) return OTHER;
    known.add(value);
    return value;
  };
  const headers = {
    'content-type': 'application/json',
    ...(options.token === null ? {} : { authorization: `Bearer ${options.token}` }),
  };
  return {
    async deliver({ items }) {
      const alerts = alertsOf(items, options.resolveAfterMs, bounded);
      // A request at a time: Alertmanager takes an alert twice as one, so beginning anew does no harm.
      for (const body of bodiesOf(alerts)) {
        const { timeoutMs, post } = options;
        const outcome = outcomeOf(await post({ url: `${base}/api/v2/alerts`, headers, body, timeoutMs }));
        if (outcome.kind !== 'delivered') return outcome;
      }
      return { kind: 'delivered' };
    },
    async close() {},
  };
}

/** One for each set of labels, of the newest item. @param items oldest first */
function alertsOf(
  items: readonly AlertItem[],
  resolveAfterMs: number,
  bounded: (label: string, value: string) => string,
): PostedAlert[] {
  const alerts = new Map<string, PostedAlert>();
  for (const item of items) {
    const labels: Record<string, string> = { alertname: `Centinela_${item.kind}`, severity: item.severity };
    for (const name of ['code', 'queue', 'typology'] as const) {
      const value = item[name];
      if (value !== null) labels[name] = bounded(name, value);
    }
    const key = JSON.stringify(labels);
    const endsMs = item.state === 'resolved' ? item.atMs : item.atMs + resolveAfterMs;
    alerts.set(key, {
      labels,
      annotations: {
        summary: item.title.slice(0, MOST_ANNOTATION),
        description: item.text.slice(0, MOST_ANNOTATION),
        notification: item.id,
      },
      startsAt: alerts.get(key)?.startsAt ?? new Date(Math.min(item.atMs, endsMs)).toISOString(),
      endsAt: new Date(endsMs).toISOString(),
      ...(item.link === null ? {} : { generatorURL: item.link }),
    });
  }
  return [...alerts.values()];
}

function bodiesOf(alerts: readonly PostedAlert[]): Uint8Array[] {
  const body = new TextEncoder().encode(JSON.stringify(alerts));
  if (body.length <= MOST_BODY_BYTES || alerts.length < 2) return [body];
  const half = Math.ceil(alerts.length / 2);
  return [...bodiesOf(alerts.slice(0, half)), ...bodiesOf(alerts.slice(half))];
}

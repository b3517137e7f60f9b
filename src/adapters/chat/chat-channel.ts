// Messages to a room of Slack or Teams through its incoming webhook.
//
// Slack: blocks (https://api.slack.com/messaging/webhooks), answered by `ok`. Teams: an Adaptive Card 1.4 in an envelope, for
// the webhooks of Workflows (202) and the connectors before them, which say with 200 that they were too busy, in the text.
import type { DeliveryOutcome } from '../../ports.ts';
import { outcomeOf } from '../webhook/delivery-outcome.ts';
import { demandPostUrl, type Post } from '../webhook/guarded-post.ts';

/** What of a message a room is shown. */
export interface ChatMessage {
  readonly language: 'es' | 'en';
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly title: string;
  readonly text: string;
  readonly link: string | null;
}

export interface ChatOptions {
  readonly kind: 'slack' | 'teams';
  /** A secret as a whole: whoever has it may write there. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly post: Post;
}

export interface ChatChannel {
  deliver(message: ChatMessage): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

/** Slack's limits: 150 in a header, 3000 in a section; Teams takes 28 KB in all. */
const MOST_HEADER = 150;
const MOST_SECTION = 3000;
const MARKS = { low: '⚪', medium: '🟡', high: '🟠', critical: '🔴' } as const;
const COLOURS = { low: 'default', medium: 'accent', high: 'warning', critical: 'attention' } as const;
const OPEN = { es: 'Abrir en Centinela', en: 'Open in Centinela' } as const;

/** @throws InputError where the address is none that may be posted to */
export function openChatChannel({ kind, url, timeoutMs, post }: ChatOptions): ChatChannel {
  demandPostUrl(url);
  const bodyOf = kind === 'slack' ? slackBody : teamsBody;
  return {
    async deliver(message) {
      const body = new TextEncoder().encode(JSON.stringify(bodyOf(message)));
      const answer = await post({ url, headers: { 'content-type': 'application/json' }, body, timeoutMs });
      // A connector of Teams hides its own limit in the text of a 200.
      if (kind === 'teams' && answer.kind === 'answered' && answer.status === 200) {
        const status = /returned HTTP error (\d{3})/.exec(answer.text)?.[1];
        if (status !== undefined) return outcomeOf({ ...answer, status: Number(status) });
      }
      return outcomeOf(answer);
    },
    async close() {},
  };
}

export function slackBody({ language, severity, title, text, link }: ChatMessage): object {
  const header = cut(`${MARKS[severity]} ${title}`, MOST_HEADER);
  const blocks: object[] = [
    { type: 'header', text: { type: 'plain_text', text: header, emoji: true } },
    ...(text === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: slackText(text), verbatim: true } }]),
  ];
  if (link !== null) {
    const button = { type: 'button', text: { type: 'plain_text', text: OPEN[language] }, url: link };
    blocks.push({ type: 'actions', elements: [button] });
  }
  // `text` is what notifications of the telephone show.
  return { text: slackText(header), blocks };
}

/** An Adaptive Card's text reads a little Markdown: what would be read as a link or a picture is not. */
export function teamsBody({ language, severity, title, text, link }: ChatMessage): object {
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    ...{ type: 'AdaptiveCard', version: '1.4' },
    body: [
      {
        ...{ type: 'TextBlock', size: 'medium', weight: 'bolder', wrap: true, color: COLOURS[severity] },
        text: teamsText(title),
      },
      ...text.split('\n').map((line) => ({ type: 'TextBlock', wrap: true, spacing: 'small', text: teamsText(line) })),
    ],
    actions: link === null ? [] : [{ type: 'Action.OpenUrl', title: OPEN[language], url: link }],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  };
}

/** Slack's three signs (https://api.slack.com/reference/surfaces/formatting#escaping): so nothing calls `<!channel>`. */
function slackText(text: string): string {
  return cut(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'), MOST_SECTION);
}

function teamsText(text: string): string {
  return cut(text, MOST_SECTION).replace(/[[\]`*_]/g, (sign) => `\\${sign}`);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/&[a-z]*$|[\ud800-\udbff]$/, '')}…`;
}

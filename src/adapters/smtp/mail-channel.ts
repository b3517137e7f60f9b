// Mail through the bank's SMTP server (RFC 5321), in text and in simple HTML.
//
// TLS is demanded before anything is said (RFC 8314): from the first byte or by STARTTLS; a server that does not offer it is
// not used, so nobody in between can take it away. Only this machine itself is talked to in clear. Connections are kept and
// few. A message has the same Message-ID at every attempt, by which mail systems know that they have it.
import type { createTransport } from 'nodemailer';
import { InputError } from '../../lib/errors.ts';
import type { DeliveryOutcome } from '../../ports.ts';
import { isLoopback } from '../webhook/network-guard.ts';

/** What of a message is mailed. */
export interface MailMessage {
  readonly id: string;
  readonly language: 'es' | 'en';
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly title: string;
  readonly text: string;
  readonly link: string | null;
}

export interface MailOptions {
  readonly host: string;
  readonly port: number;
  /** `none-on-loopback`: in clear, where the server is on this machine. */
  readonly security: 'tls' | 'starttls' | 'none-on-loopback';
  /** null: the server asks for none. */
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly timeoutMs: number;
  /** PEM of authorities that are trusted instead of the system's; null: those. */
  readonly authorities: string | null;
}

export interface MailChannel {
  deliver(message: MailMessage): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

const CONNECTIONS = 2;
const MESSAGES_A_CONNECTION = 100;
const MOST_SUBJECT = 180;
/** Refusals of the message itself (its addresses, its text); all else is put right by people or by time. */
const OF_THE_MESSAGE = new Set(['EENVELOPE', 'EMESSAGE']);
/** Among them: the server wants a log-in first (RFC 4954 §6). */
const PUT_RIGHT = new Set([530, 534, 535, 538]);

const WORDS = {
  es: { open: 'Abrir en Centinela', why: 'Usted recibe este aviso porque su área lo tiene configurado en Centinela.' },
  en: { open: 'Open in Centinela', why: 'You receive this notice because your area has set it in Centinela.' },
} as const;
const COLOURS = { low: '#5f6b7a', medium: '#9a6700', high: '#bc4c00', critical: '#b42318' } as const;

/** @throws InputError where the server is to be talked to in clear and is not this machine */
export function openMailChannel(options: MailOptions): MailChannel {
  const { host, port, security, login, from, to, timeoutMs, authorities } = options;
  if (security === 'none-on-loopback' && host !== 'localhost' && !isLoopback(host)) {
    throw new InputError(
      'MAIL_NOT_ENCRYPTED',
      `Mail to ${host} would go in clear`,
      "Set security to 'tls' (port 465) or 'starttls' (port 587)",
    );
  }
  const settings = {
    ...{ host, port, pool: true, maxConnections: CONNECTIONS, maxMessages: MESSAGES_A_CONNECTION },
    ...{ secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none-on-loopback' },
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    // What is mailed is what is given: nothing is read from files or fetched.
    ...{ disableFileAccess: true, disableUrlAccess: true },
    tls: { minVersion: 'TLSv1.2', ...(authorities === null ? {} : { ca: authorities }) },
  } as const;
  // Loaded with the first message: few services mail.
  let opened: Promise<ReturnType<typeof createTransport>> | null = null;
  const transport = () => {
    opened ??= import('nodemailer').then(({ createTransport }) => createTransport(settings));
    return opened;
  };
  return {
    async deliver(message) {
      const { id, title, severity } = message;
      try {
        await (await transport()).sendMail({
          ...{ from: { name: 'Centinela', address: from }, to: [...to] },
          subject: subjectOf(title),
          ...{ text: textOf(message), html: htmlOf(message) },
          messageId: `<${id.replace(/[^\w.-]/g, '_')}@${from.split('@')[1]}>`,
          ...{ priority: severity === 'critical' ? 'high' : 'normal' },
          // Nobody's absence notice answers it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Centinela-Delivery': id.replace(/[^\w.:~-]/g, '_') },
        });
        return { kind: 'delivered' };
      } catch (error) {
        return outcomeOfError(error as Error & { code?: string; responseCode?: number });
      }
    },
    async close() {
      (await opened)?.close();
    },
  };
}

/** The server's own words stay out: they may repeat addresses. */
function outcomeOfError({
  code = 'MAIL_ERROR',
  responseCode = 0,
}: {
  code?: string;
  responseCode?: number;
}): DeliveryOutcome {
  const reason = responseCode === 0 ? code : `${code} ${responseCode}`;
  const isFinal = OF_THE_MESSAGE.has(code) && responseCode >= 500 && !PUT_RIGHT.has(responseCode);
  return isFinal ? { kind: 'refused', reason } : { kind: 'retry', reason, afterMs: null };
}

/** One line, whatever the title has in it: a header ends where a line does (RFC 5322 §2.2). */
function subjectOf(title: string): string {
  const line = title.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const signs = [...line];
  return `[Centinela] ${signs.length <= MOST_SUBJECT ? line : `${signs.slice(0, MOST_SUBJECT - 1).join('')}…`}`;
}

function textOf({ title, text, link, language }: MailMessage): string {
  const { open, why } = WORDS[language];
  return [title, '', text, ...(link === null ? [] : ['', `${open}: ${link}`]), '', '-- ', why, ''].join('\n');
}

function htmlOf({ title, text, link, language, severity }: MailMessage): string {
  const { open, why } = WORDS[language];
  const button =
    link === null ? '' : `<p><a href="${escaped(link)}" style="color:#0b5cad;font-weight:600">${escaped(open)}</a></p>`;
  const lines = text.split('\n').map(escaped).join('<br>');
  return [
    `<!doctype html><html lang="${language}"><body style="font:15px/1.5 system-ui,sans-serif;color:#1f2933;margin:24px">`,
    `<h1 style="font-size:18px;border-left:4px solid ${COLOURS[severity]};padding-left:12px">${escaped(title)}</h1>`,
    `<p>${lines}</p>${button}`,
    `<p style="color:#5f6b7a;font-size:12px">${escaped(why)}</p></body></html>`,
  ].join('');
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (sign) => names[sign]);
}

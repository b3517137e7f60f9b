import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type MailChannel,
  type MailMessage,
  type MailOptions,
  openMailChannel,
} from '../../src/adapters/smtp/mail-channel.ts';
import { makeServerCertificate, type ServerCertificate } from './certificates.ts';
import { type SmtpOptions, type SmtpServer, startSmtpServer, type TakenMail } from './smtp-server.ts';

const LOGIN = { user: 'centinela', password: 'for-tests-only' };
const MESSAGE: MailMessage = {
  ...{ id: 'm-1', language: 'es', severity: 'high', title: 'Alerta por S/ 1,500.00 — operación tx-1' },
  ...{ text: 'Monto fuera de perfil <b>\n.punto al inicio', link: 'https://centinela.example/alerts/a1?x=1&y=2' },
};
let folder: string;
let certificate: ServerCertificate;
const opened: { close(): Promise<void> }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'centinela-mail-'));
  certificate = makeServerCertificate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(
  server: Partial<SmtpOptions>,
  channel: Partial<MailOptions> = {},
): Promise<{ server: SmtpServer; channel: MailChannel }> {
  const started = await startSmtpServer({ certificate, security: 'starttls', ...server });
  opened.push(started);
  const mail = openMailChannel({
    ...{ host: 'localhost', port: started.port, security: 'starttls', login: null, from: 'avisos@banco.example' },
    ...{ to: ['fraude@banco.example'], timeoutMs: 2000, authorities: certificate.authority, ...channel },
  });
  opened.push(mail);
  return { server: started, channel: mail };
}

/** The parts of a mail, decoded: an independent reader of MIME, as far as these mails need one. */
function read({ data }: TakenMail): { headers: Map<string, string>; text: string; html: string } {
  const [head = '', ...rest] = data.split('\r\n\r\n');
  const unfolded = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Map(
    unfolded.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`);
  const part = (type: string) => {
    const found = parts.find((each) => each.includes(`Content-Type: ${type}`)) ?? '';
    const body = found.slice(found.indexOf('\r\n\r\n') + 4);
    if (/Transfer-Encoding: base64/i.test(found)) return Buffer.from(body, 'base64').toString('utf8');
    const bytes = body
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  };
  return { headers, text: part('text/plain'), html: part('text/html') };
}

function decodedWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?(q|b)\?([^?]*)\?=/gi, (_, kind: string, text: string) => {
      if (kind.toLowerCase() === 'b') return Buffer.from(text, 'base64').toString('utf8');
      const bytes = text
        .replaceAll('_', ' ')
        .replace(/=([0-9A-F]{2})/g, (__, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      return Buffer.from(bytes, 'latin1').toString('utf8');
    });
}

describe('a mail channel', () => {
  it('delivers text and HTML after STARTTLS, logged in, with the same Message-ID at every attempt', async () => {
    const { server, channel } = await start({ login: LOGIN }, { login: LOGIN });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    const [mail] = server.mails;
    expect(mail).toMatchObject({
      from: 'avisos@banco.example',
      to: ['fraude@banco.example'],
      isEncrypted: true,
      user: 'centinela',
    });
    const { headers, text, html } = read(mail);
    expect(decodedWords(headers.get('subject') ?? '')).toBe('[Centinela] Alerta por S/ 1,500.00 — operación tx-1');
    expect(headers.get('message-id')).toBe('<m-1@banco.example>');
    expect(read(server.mails[1]).headers.get('message-id')).toBe('<m-1@banco.example>');
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(text).toContain('Monto fuera de perfil <b>\r\n.punto al inicio');
    expect(text).toContain('Abrir en Centinela: https://centinela.example/alerts/a1?x=1&y=2');
    expect(html).toContain('Monto fuera de perfil &lt;b&gt;<br>.punto al inicio');
    expect(html).toContain('href="https://centinela.example/alerts/a1?x=1&amp;y=2"');
    // Nothing but the greeting was said in clear.
    expect(server.commands.slice(0, 3).map((line) => line.slice(0, 8).trim())).toEqual([
      expect.stringContaining('EHLO'),
      'STARTTLS',
      expect.stringContaining('EHLO'),
    ]);
    expect(server.connections()).toBe(1);
  });

  it('delivers over TLS from the first byte', async () => {
    const { server, channel } = await start({ security: 'tls' }, { security: 'tls' });
    expect(await channel.deliver({ ...MESSAGE, language: 'en', link: null })).toEqual({ kind: 'delivered' });
    expect(server.mails[0].isEncrypted).toBe(true);
    expect(read(server.mails[0]).text).not.toContain('http');
  });

  it('sends nothing where the server does not offer TLS, or its certificate is not known', async () => {
    const stripped = await start({ security: 'none' });
    expect(await stripped.channel.deliver(MESSAGE)).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/^ETLS/),
    });
    const unknown = await start({}, { authorities: null });
    expect(await unknown.channel.deliver(MESSAGE)).toMatchObject({ kind: 'retry' });
    const wrong = await start({}, { host: '127.0.0.2' });
    expect(await wrong.channel.deliver(MESSAGE)).toMatchObject({ kind: 'retry' });
    for (const { server } of [stripped, unknown, wrong]) {
      expect(server.mails).toEqual([]);
      expect(server.commands.join()).not.toMatch(/MAIL|RCPT|AUTH/);
    }
  });

  it('speaks in clear with this machine alone', async () => {
    const { server, channel } = await start({ security: 'none' }, { security: 'none-on-loopback', host: '127.0.0.1' });
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    expect(server.mails[0].isEncrypted).toBe(false);
    expect(() =>
      openMailChannel({
        ...{ host: 'mail.banco.example', port: 25, security: 'none-on-loopback', login: null, from: 'a@b.example' },
        ...{ to: ['c@d.example'], timeoutMs: 1000, authorities: null },
      }),
    ).toThrow('in clear');
  });

  it('lets no text become a header, a recipient or a command', async () => {
    const { server, channel } = await start({});
    const evil = 'a\r\nBcc: x@evil.example\r\n\r\n.\r\nMAIL FROM:<x@evil.example>\r\n';
    expect(await channel.deliver({ ...MESSAGE, id: `m-2${evil}`, title: evil, text: evil })).toEqual({
      kind: 'delivered',
    });
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0].to).toEqual(['fraude@banco.example']);
    const { headers } = read(server.mails[0]);
    expect([...headers.keys()]).not.toContain('bcc');
    expect(headers.get('message-id')).not.toContain('@evil');
    expect(server.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  it('tells what passes from what does not, without the words of the server', async () => {
    const { server, channel } = await start({});
    server.recipientAnswer = '550 5.1.1 fraude@banco.example unknown';
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'refused', reason: 'EENVELOPE 550' });
    server.recipientAnswer = '451 4.7.1 later';
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'retry', reason: 'EENVELOPE 451', afterMs: null });
    server.recipientAnswer = '250 ok';
    expect(await channel.deliver(MESSAGE)).toEqual({ kind: 'delivered' });
    const wrong = await start({ login: LOGIN }, { login: { ...LOGIN, password: 'wrong' } });
    expect(await wrong.channel.deliver(MESSAGE)).toEqual({ kind: 'retry', reason: 'EAUTH 535', afterMs: null });
    await server.close();
    expect(await channel.deliver(MESSAGE)).toMatchObject({ kind: 'retry' });
  });
});

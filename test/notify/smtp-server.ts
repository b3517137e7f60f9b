// A small SMTP server (RFC 5321) that keeps what it is given: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, RSET, QUIT.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { ServerCertificate } from './certificates.ts';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came: headers, an empty line, the body; lines end in CRLF. */
  readonly data: string;
  readonly isEncrypted: boolean;
  readonly user: string | null;
}

export interface SmtpOptions {
  readonly certificate: ServerCertificate | null;
  /** `tls`: from the first byte; `starttls`: offered; `none`: not there. */
  readonly security: 'tls' | 'starttls' | 'none';
  readonly login?: { readonly user: string; readonly password: string };
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: TakenMail[];
  /** Commands as they came, without what is secret. */
  readonly commands: string[];
  readonly connections: () => number;
  /** What is said instead of 250 to RCPT. */
  recipientAnswer: string;
  close(): Promise<void>;
}

export async function startSmtpServer({ certificate, security, login }: SmtpOptions): Promise<SmtpServer> {
  const mails: TakenMail[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  function talk(socket: Socket, isEncrypted: boolean, greets: boolean): void {
    let pending = '';
    let data: string[] | null = null;
    let from = '';
    let to: string[] = [];
    let user: string | null = null;
    const say = (line: string) => void (socket.writable && socket.write(`${line}\r\n`));
    socket.on('error', () => {});
    if (greets) say('220 mail.example ESMTP');

    const take = (line: string): void => {
      if (data !== null) {
        if (line !== '.') {
          data.push(line.startsWith('.') ? line.slice(1) : line);
          return;
        }
        mails.push({ from, to, data: data.join('\r\n'), isEncrypted, user });
        data = null;
        say('250 2.0.0 kept');
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      commands.push(verb === 'AUTH' ? 'AUTH' : line);
      if (verb === 'EHLO') {
        const offers = [
          ...(security === 'starttls' && !isEncrypted ? ['STARTTLS'] : []),
          ...(login ? ['AUTH PLAIN'] : []),
        ];
        say('250-mail.example');
        for (const offer of offers) say(`250-${offer}`);
        say('250 SIZE 1000000');
      } else if (line.toUpperCase() === 'STARTTLS' && security === 'starttls' && certificate !== null) {
        say('220 go ahead');
        socket.removeAllListeners('data');
        const { key, cert } = certificate;
        const secure = new TLSSocket(socket, { isServer: true, key, cert });
        talk(secure, true, false);
      } else if (verb === 'AUTH') {
        const [, name, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
          .toString()
          .split('\0');
        if (name === login?.user && password === login?.password) {
          user = name;
          say('235 2.7.0 welcome');
        } else say('535 5.7.8 wrong');
      } else if (verb === 'MAIL') {
        if (login !== undefined && user === null) {
          say('530 5.7.0 log in first');
          return;
        }
        from = /<(.*?)>/.exec(line)?.[1] ?? '';
        to = [];
        say('250 ok');
      } else if (verb === 'RCPT') {
        to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
        say(server.recipientAnswer);
      } else if (verb === 'DATA') {
        data = [];
        say('354 go on');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else if (verb === 'RSET' || verb === 'NOOP') say('250 ok');
      else say('502 unknown');
    };
    socket.on('data', (part: Buffer) => {
      pending += part.toString('latin1');
      for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 2);
        take(line);
      }
    });
  }

  const accept = (socket: Socket) => {
    connections++;
    sockets.add(socket);
    talk(socket, security === 'tls', true);
  };
  const listener =
    security === 'tls' && certificate !== null
      ? createTlsServer({ key: certificate.key, cert: certificate.cert }, accept)
      : createServer(accept);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const server: SmtpServer = {
    ...{ port, mails, commands, connections: () => connections, recipientAnswer: '250 ok' },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void listener.close(() => resolve()));
    },
  };
  return server;
}

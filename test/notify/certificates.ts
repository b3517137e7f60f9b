// An authority, and a certificate of this machine that it signed, made anew for a test.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
  /** PEM of the authority. */
  readonly authority: string;
}

export function makeServerCertificate(folder: string): ServerCertificate {
  const at = (name: string) => join(folder, name);
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...ec, '-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  const ask = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=server'];
  run(...ask, '-keyout', at('server.key'), '-out', at('server.csr'));
  writeFileSync(at('names.cnf'), 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:hooks.example\n');
  run(
    ...['x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
    ...['-days', '2', '-extfile', at('names.cnf'), '-out', at('server.pem')],
  );
  const read = (name: string) => readFileSync(at(name), 'utf8');
  return { key: read('server.key'), cert: read('server.pem'), authority: read('ca.pem') };
}

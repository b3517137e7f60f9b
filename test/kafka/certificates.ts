// An authority and a broker's certificate of it, made anew for a test.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  readonly keyStore: string;
  readonly keyStorePassword: string;
  /** File of the authority's certificate, PEM. */
  readonly authority: string;
}

export function makeCertificates(folder: string): Certificates {
  const keyStore = join(folder, 'broker.p12');
  const at = (name: string) => join(folder, name);
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  run(
    'req',
    '-x509',
    ...ec,
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  run('req', ...ec, '-subj', '/CN=broker', '-addext', names, '-keyout', at('broker.key'), '-out', at('broker.csr'));
  writeFileSync(at('names.cnf'), `${names}\n`);
  run(
    ...['x509', '-req', '-in', at('broker.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
    ...['-days', '2', '-extfile', at('names.cnf'), '-out', at('broker.pem')],
  );
  const keyStorePassword = 'for-tests-only';
  run(
    ...['pkcs12', '-export', '-in', at('broker.pem'), '-inkey', at('broker.key'), '-certfile', at('ca.pem')],
    ...['-passout', `pass:${keyStorePassword}`, '-out', keyStore],
  );
  return { keyStore, keyStorePassword, authority: at('ca.pem') };
}
